// Runs a prepared module under V8 with the flags given, and says what came of it: tier FLAGS MODULE SIZE CHUNK [FUEL]. Prints, a line each, how
// dugnad_run(SIZE, 0) ended, what __dugnad_stopped says, a checksum of each CHUNK bytes of the first SIZE of memory, and with FUEL what is left of
// it. Each tier needs a process of its own, since V8 takes its flags once.
#include <libplatform/libplatform.h>
#include <v8.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace {

constexpr const char* script = R"(
(function(bytes, size, chunk, fuel) {
  const host = {log() {}, progress() {}};
  const guest = new WebAssembly.Instance(new WebAssembly.Module(bytes), {dugnad: host}).exports;
  if (fuel !== undefined) guest.__dugnad_fuel.value = BigInt(fuel);
  let end;
  try {
    end = 'returned ' + guest.dugnad_run(size, 0);
  } catch (e) {
    end = e instanceof RangeError ? 'overflowed' : 'trapped';
  }
  let text = end + '\n' + (guest.__dugnad_stopped ? guest.__dugnad_stopped.value : 0) + '\n';
  const memory = new Uint8Array(guest.memory.buffer);
  for (let from = 0; from < size; from += chunk) {
    let hash = 0x811c9dc5;
    for (let i = from; i < from + chunk; ++i) hash = Math.imul(hash ^ memory[i], 0x01000193) >>> 0;
    text += hash + '\n';
  }
  if (fuel !== undefined) text += guest.__dugnad_fuel.value + '\n';
  return text;
}))";

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) return 2;
  std::ifstream file(argv[2], std::ios::binary);
  const std::string module((std::istreambuf_iterator<char>(file)), {});
  v8::V8::SetFlagsFromString(argv[1]);
  const auto platform = v8::platform::NewSingleThreadedDefaultPlatform();
  v8::V8::InitializePlatform(platform.get());
  v8::V8::Initialize();
  v8::Isolate::CreateParams params;
  const std::unique_ptr<v8::ArrayBuffer::Allocator> allocator(v8::ArrayBuffer::Allocator::NewDefaultAllocator());
  params.array_buffer_allocator = allocator.get();
  v8::Isolate* isolate = v8::Isolate::New(params);
  {
    const v8::Isolate::Scope in_isolate(isolate);
    const v8::HandleScope handles(isolate);
    const v8::Local<v8::Context> context = v8::Context::New(isolate);
    const v8::Context::Scope in_context(context);
    const auto source = v8::String::NewFromUtf8(isolate, script).ToLocalChecked();
    const auto run = v8::Script::Compile(context, source).ToLocalChecked()->Run(context).ToLocalChecked().As<v8::Function>();
    const auto bytes = v8::ArrayBuffer::New(isolate, module.size());
    std::copy(module.begin(), module.end(), static_cast<char*>(bytes->GetBackingStore()->Data()));
    v8::Local<v8::Value> fuel = v8::Undefined(isolate);
    if (argc == 6) fuel = v8::String::NewFromUtf8(isolate, argv[5]).ToLocalChecked();
    v8::Local<v8::Value> arguments[] = {bytes, v8::Integer::New(isolate, std::stoi(argv[3])), v8::Integer::New(isolate, std::stoi(argv[4])), fuel};
    const v8::TryCatch caught(isolate);
    v8::Local<v8::Value> answer;
    if (!run->Call(context, context->Global(), 4, arguments).ToLocal(&answer)) {
      std::printf("threw %s\n", *v8::String::Utf8Value(isolate, caught.Exception()));
      return 1;
    }
    std::fputs(*v8::String::Utf8Value(isolate, answer), stdout);
  }
  std::fflush(stdout);
  std::_Exit(0);  // nothing to be gained from taking V8 down
}
