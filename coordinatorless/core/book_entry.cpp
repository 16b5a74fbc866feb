#include "coordinatorless/core/book_entry.h"

#include "coordinatorless/base/panic.h"
#include "coordinatorless/core/codec.h"

namespace dugnad::core {

ContactRecord BookEntry::record() const {
  auto record = decode_contact_record(raw.body);
  DUGNAD_ASSERT(record.has_value(), "a record in the book that does not decode");
  return *std::move(record);
}

std::optional<Route> BookEntry::route() const {
  if (!may_dial) return std::nullopt;
  const ContactRecord record = this->record();
  return Route{record.peer(), record.curve, *record.endpoint};
}

}  // namespace dugnad::core
