// V8 as the engine uses it: started once a process, on one thread, and one isolate with one context. Private to the engine.
#pragma once

#include <libplatform/libplatform.h>
#include <v8.h>

#include <memory>
#include <string>
#include <string_view>

#include "coordinatorless/base/result.h"
#include "worker/cage/engine.h"

namespace dugnad::worker::cage {

class EngineV8 {
 public:
  [[nodiscard]] static Result<std::unique_ptr<EngineV8>> start(const EngineOptions& options);
  ~EngineV8();

  [[nodiscard]] v8::Isolate* isolate() const { return isolate_; }
  /// Frees what ended instances left, and runs what V8 posted for later.
  void collect();

 private:
  explicit EngineV8(const EngineOptions& options);

  std::unique_ptr<v8::ArrayBuffer::Allocator> allocator_;
  v8::Isolate* isolate_ = nullptr;
};

[[nodiscard]] v8::Local<v8::String> v8_text(v8::Isolate* isolate, std::string_view text);
/// The property of that name; undefined where there is none.
[[nodiscard]] v8::Local<v8::Value> v8_get(v8::Local<v8::Context> context, v8::Local<v8::Object> object, std::string_view name);

}  // namespace dugnad::worker::cage
