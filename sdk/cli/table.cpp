#include "sdk/cli/table.h"

#include <algorithm>

#include "coordinatorless/base/panic.h"

namespace dugnad::sdk::cli {
namespace {

/// Characters, not bytes: UTF-8 continuation bytes take no column.
std::size_t width_of(const std::string& cell) {
  return static_cast<std::size_t>(std::count_if(cell.begin(), cell.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  DUGNAD_ASSERT(cells.size() == columns_.size(), "a row has as many cells as the table has columns");
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::string> headings;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    headings.push_back(columns_[i].heading);
    widths.push_back(width_of(columns_[i].heading));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string one;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - width_of(cells[i]), ' ');
      if (i > 0) one += "  ";
      one += columns_[i].align == Align::right ? padding + cells[i] : cells[i] + padding;
    }
    one.erase(one.find_last_not_of(' ') + 1);
    text += one + '\n';
  };
  line(headings);
  for (const auto& row : rows_) line(row);
  return text;
}

}  // namespace dugnad::sdk::cli
