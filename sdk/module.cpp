#include "dugnad/module.h"

#include <cerrno>
#include <filesystem>
#include <utility>

#include "coordinatorless/core/limits.h"
#include "coordinatorless/store/files.h"
#include "sdk/module_image.h"
#include "sdk/pack.h"
#include "sdk/read_file.h"
#include "tasks/wasm/guest_pass.h"

namespace dugnad::sdk {
namespace {

namespace limits = tasks::wasm::limits;

/// What a manifest takes as a task's name, as like `name` as may be.
std::string task_name_of(const std::string& name) {
  std::string fit;
  for (const char c : name.substr(0, core::limits::task_name_max)) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    fit += upper ? static_cast<char>(c - 'A' + 'a') : plain ? c : '_';
  }
  return fit.empty() ? "module" : fit;
}

}  // namespace

Result<Module> Module::load(const std::string& path) {
  auto raw = read_file(path, limits::module_bytes_max);
  if (!raw) return raw.error();
  auto module = from_bytes(*raw, std::filesystem::path(path).filename().string());
  if (!module) return Error{path + ": " + module.error().message};
  return module;
}

Result<Module> Module::from_bytes(ByteView wasm, const std::string& name) {
  if (wasm.size() > limits::module_bytes_max) {
    return Error{"a module has at most " + std::to_string(limits::module_bytes_max >> 20) + " MiB"};
  }
  // With all the memory that there may be: how much a job gives it is known later.
  const auto guest = tasks::wasm::prepare(wasm, {.memory_bytes = limits::memory_bytes_most, .fuel = false});
  if (!guest) return guest.error();
  auto image = std::make_shared<Image>();
  image->name = task_name_of(name);
  image->kind = guest->kind == tasks::wasm::GuestKind::command ? Kind::command : Kind::reactor;
  image->has_check = guest->has_check;
  image->raw.assign(wasm.begin(), wasm.end());
  image->packed = pack(wasm);
  image->id = blob_id_of(image->packed);
  return Module(std::move(image));
}

Module::Kind Module::kind() const { return image_->kind; }
bool Module::has_check() const { return image_->has_check; }
const std::string& Module::name() const { return image_->name; }

Result<void> Module::check(std::uint64_t memory_bytes, std::uint64_t fuel) const {
  if (memory_bytes > limits::memory_bytes_most) return Error{"a unit gets at most 4 GiB of memory"};
  if (fuel > core::limits::fuel_max) return Error{"fuel is less than 2^63"};
  const auto guest = tasks::wasm::prepare(
      image_->raw, {.memory_bytes = memory_bytes == 0 ? limits::memory_bytes_default : memory_bytes, .fuel = fuel > 0});
  if (!guest) return Error{image_->name + ": " + guest.error().message};
  return {};
}

}  // namespace dugnad::sdk
