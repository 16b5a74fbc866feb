#include "tasks/wasm/rewrite.h"

#include <algorithm>

#include "coordinatorless/base/panic.h"
#include "tasks/wasm/fuel.h"
#include "tasks/wasm/instruction.h"
#include "tasks/wasm/nan.h"

namespace dugnad::tasks::wasm {
namespace {

using wabt::Opcode;
using wabt::Type;

struct Slot {
  ValType type = ValType::i32;
  bool wild = false;          // a scalar
  Lanes lanes = Lanes::none;  // a vector: the lanes in which it is wild
  std::size_t made_at = 0;    // the end of the instruction that made it
};

struct Block {
  Opcode opcode = Opcode::Block;
  std::size_t height = 0;  // of the operands below it
  std::vector<ValType> params = {};
  std::vector<ValType> results = {};
  std::size_t header = 0;  // of a loop: where its body begins
  std::int64_t cost = 0;   // instructions in it and in no loop within it
};

class Rewriting {
 public:
  Rewriting(const Module& module, std::uint32_t index, const DepthPlan& depth, const OurGlobals& globals)
      : module_(module),
        function_(module.functions[index - module.imported_functions.size()]),
        signature_(module.signature_of(index)),
        role_(depth.roles[index]),
        weight_(depth.weights[index]),
        depth_(depth),
        globals_(globals),
        body_(function_.body) {}

  Bytes run() {
    const bool has_numbers = function_.has_floats || function_.has_vectors;
    if (!has_numbers && !function_.grows_memory && role_ == DepthPlan::Role::free && !globals_.fuel) return sized(body_);
    Reader reader(body_);
    for (std::uint32_t groups = reader.u32(); groups > 0 && reader.ok(); --groups) reader.skip_leb(), reader.skip_leb();
    locals_from_ = reader.offset();
    locals_ = signature_.params;
    for (const auto& [count, type] : function_.locals) locals_.insert(locals_.end(), count, type);
    begin();
    while (!reader.at_end()) visit(next_instruction(reader));
    return sized(assembled());
  }

 private:
  struct Patch {
    std::size_t at;
    Code code;
  };

  // --- What is added where the function begins ---
  void begin() {
    blocks_.push_back({.opcode = Opcode::Block, .results = signature_.results, .header = locals_from_});
    if (role_ == DepthPlan::Role::free) return;
    depth_local_ = new_local(ValType::i32);
    Code code;
    code.global_get(globals_.depth);
    if (role_ == DepthPlan::Role::carries) {
      code.local_set(*depth_local_);
    } else {
      code.i32_const(static_cast<std::int32_t>(weight_)).op(0x6a).local_tee(*depth_local_);
      code.i32_const(static_cast<std::int32_t>(depth_.limit)).op(0x4b).stop_if(globals_.stopped, Stopped::depth);
    }
    patch(locals_from_, std::move(code));
  }

  // --- The walk ---
  void visit(const Instruction& now) {
    now_ = now;
    DUGNAD_ASSERT(!blocks_.empty() && !now.opcode.IsInvalid(), "code reads otherwise than it was checked");
    if (dead_ > 0) return visit_dead();
    ++loop().cost;
    switch (now.opcode) {
      case Opcode::Block:
      case Opcode::Loop:
      case Opcode::If: return open();
      case Opcode::Else: return otherwise();
      case Opcode::End: return close();
      case Opcode::Br:
      case Opcode::BrTable:
        if (now.opcode == Opcode::BrTable) pop();
        show(label_types(now.index).size());
        return die();
      case Opcode::BrIf:
        pop();
        return show(label_types(now.index).size());
      case Opcode::Return:
        show(signature_.results.size());
        return die();
      case Opcode::Unreachable: return die();
      case Opcode::Call:
        if (module_.is_imported(now.index)) show_to_host();
        if (depth_.roles[now.index] != DepthPlan::Role::free) hand_down();
        return call(module_.signature_of(now.index));
      case Opcode::CallIndirect:
        if (depth_.leads_on_by_type[now.index]) hand_down();
        pop();
        return call(module_.types[now.index]);
      case Opcode::Drop: return static_cast<void>(pop());
      case Opcode::Select:
      case Opcode::SelectT: return select();
      case Opcode::LocalGet: return push_unknown(locals_[now.index]);
      case Opcode::LocalSet: return show(1), static_cast<void>(pop());
      case Opcode::LocalTee: return show(1);
      case Opcode::GlobalGet: return push_unknown(module_.globals[now.index]);
      case Opcode::GlobalSet: return show(1), static_cast<void>(pop());
      case Opcode::TableGet: return pop_some(1), push_unknown(module_.tables[now.index].element);
      case Opcode::TableSet: return pop_some(2);
      case Opcode::TableSize: return push_unknown(ValType::i32);
      case Opcode::TableGrow: return pop_some(2), push_unknown(ValType::i32);
      case Opcode::TableFill: return charge_bulk(), pop_some(3);
      case Opcode::RefNull: return push_unknown(static_cast<ValType>(now.index));
      case Opcode::RefFunc: return push_unknown(ValType::funcref);
      case Opcode::RefIsNull: return pop_some(1), push_unknown(ValType::i32);
      case Opcode::MemoryGrow: return grow();
      case Opcode::MemoryCopy:
      case Opcode::MemoryFill:
      case Opcode::MemoryInit:
      case Opcode::TableCopy:
      case Opcode::TableInit: return charge_bulk(), pop_some(3);
      default: return compute();
    }
  }

  /// After an instruction that does not come back, until its block ends: nothing runs, so nothing is added.
  void visit_dead() {
    switch (now_.opcode) {
      case Opcode::Block:
      case Opcode::Loop:
      case Opcode::If: ++dead_; return;
      case Opcode::Else:
        if (dead_ == 1) dead_ = 0, otherwise();
        return;
      case Opcode::End:
        if (--dead_ == 0) close();
        return;
      default: return;
    }
  }

  void open() {
    if (now_.opcode == Opcode::If) pop();
    Block block{.opcode = now_.opcode, .header = now_.end};
    if (now_.block_type >= 0) {
      const Signature& type = module_.types[static_cast<std::size_t>(now_.block_type)];
      block.params = type.params;
      block.results = type.results;
    } else if (now_.block_type != -64) {
      block.results = {static_cast<ValType>(now_.block_type & 0x7f)};
    }
    show(block.params.size());
    pop_some(block.params.size());
    block.height = stack_.size();
    blocks_.push_back(std::move(block));
    push_all(blocks_.back().params);
  }
  void otherwise() {
    leave(blocks_.back());
    push_all(blocks_.back().params);
  }
  void close() {
    leave(blocks_.back());
    if (blocks_.back().opcode == Opcode::Loop || blocks_.size() == 1) charge(blocks_.back());
    const Block done = std::move(blocks_.back());
    blocks_.pop_back();
    push_all(done.results);
  }
  void leave(const Block& block) {
    if (stack_.size() >= block.height + block.results.size()) show(block.results.size());
    stack_.resize(block.height);
  }
  void die() {
    stack_.resize(blocks_.back().height);
    dead_ = 1;
  }
  [[nodiscard]] const std::vector<ValType>& label_types(std::uint32_t depth) const {
    const Block& block = blocks_[blocks_.size() - 1 - depth];
    return block.opcode == Opcode::Loop ? block.params : block.results;
  }
  [[nodiscard]] Block& loop() {
    return *std::find_if(blocks_.rbegin(), blocks_.rend() - 1, [](const Block& block) { return block.opcode == Opcode::Loop; });
  }

  // --- Operands ---
  Slot pop() {
    if (stack_.empty()) return {};
    const Slot slot = stack_.back();
    stack_.pop_back();
    return slot;
  }
  void pop_some(std::size_t count) { stack_.resize(stack_.size() - std::min(count, stack_.size())); }
  void push_unknown(ValType type) { stack_.push_back({type, type == ValType::f32 || type == ValType::f64, Lanes::none, now_.end}); }
  void push_all(const std::vector<ValType>& types) {
    for (const ValType type : types) push_unknown(type);
  }

  void call(const Signature& signature) {
    show(signature.params.size());
    pop_some(signature.params.size());
    push_all(signature.results);
  }

  void select() {
    pop();
    show(2);
    const Slot second = pop();
    Slot first = pop();
    first.wild |= second.wild;
    first.made_at = now_.end;
    stack_.push_back(first);
  }

  /// Vectors among the top `count` go where their bits can be seen.
  void show(std::size_t count) {
    for (std::size_t i = 1; i <= std::min(count, stack_.size()); ++i) {
      Slot& slot = stack_[stack_.size() - i];
      if (slot.lanes == Lanes::none) continue;
      patch(slot.made_at, canonical_lanes(slot.lanes, temporary(ValType::v128)));
      slot.lanes = Lanes::none;
    }
  }
  void show_scalar() {
    if (stack_.empty() || !stack_.back().wild) return;
    patch(now_.begin, canonical_scalar(stack_.back().type, temporary(stack_.back().type)));
    stack_.back().wild = false;
  }
  void show_to_host() { show_scalar(); }  // no host function takes two numbers that may be NaNs

  void compute() {
    const NanFacts facts = nan_facts(now_.opcode);
    const std::size_t count = operands(now_.opcode);
    if (facts.shows) show_scalar();
    for (std::size_t i = 1; i <= std::min(count, stack_.size()); ++i) {
      if (Slot& slot = stack_[stack_.size() - i]; slot.lanes != facts.takes) show_one(slot);
    }
    const Slot first = count > 0 && stack_.size() >= count ? stack_[stack_.size() - count] : Slot{};
    pop_some(count);
    if (now_.opcode.GetResultType() == Type::Void) return;
    Slot result{static_cast<ValType>(now_.opcode.GetResultType() & 0x7f), facts.makes_scalar, facts.makes, now_.end};
    if (facts.keeps) {
      const bool was_wild = first.wild || first.lanes != Lanes::none;
      const bool is_vector = result.type == ValType::v128;
      result.wild = !is_vector && was_wild;
      result.lanes = is_vector && was_wild ? (facts.makes != Lanes::none ? facts.makes : facts.takes) : Lanes::none;
    }
    stack_.push_back(result);
  }
  void show_one(Slot& slot) {
    if (slot.lanes == Lanes::none) return;
    patch(slot.made_at, canonical_lanes(slot.lanes, temporary(ValType::v128)));
    slot.lanes = Lanes::none;
  }

  // --- Depth and fuel ---
  void hand_down() { patch(now_.begin, Code().local_get(*depth_local_).global_set(globals_.depth)); }

  void charge(const Block& block) {
    if (globals_.fuel) patch(block.header, pay(fuel_places(), block.cost));
  }
  void charge_bulk() {
    if (globals_.fuel) patch(now_.begin, pay_for_bulk(fuel_places(), temporary(ValType::i32)));
  }
  [[nodiscard]] FuelPlaces fuel_places() { return {*globals_.fuel, globals_.stopped, temporary(ValType::i64)}; }

  // --- Memory ---
  /// A memory that cannot grow although the module's maximum allows it: the donor lacks what it promised, and the guest must not see it.
  void grow() {
    const std::uint32_t pages = temporary(ValType::i32);
    if (!grew_) grew_ = new_local(ValType::i32);
    patch(now_.begin, Code().local_tee(pages));
    Code code;
    code.local_tee(*grew_).i32_const(-1).op(0x46);
    code.local_get(pages).i32_const(static_cast<std::int32_t>(globals_.memory_pages_max)).op(0x3f).op(0x00).op(0x6b).op(0x4d).op(0x71);
    code.stop_if(globals_.stopped, Stopped::memory).local_get(*grew_);
    patch(now_.end, std::move(code));
    pop_some(1);
    push_unknown(ValType::i32);
  }

  // --- Putting it together ---
  void patch(std::size_t at, Code code) { patches_.push_back({at, std::move(code)}); }
  std::uint32_t new_local(ValType type) {
    new_locals_.push_back(type);
    return static_cast<std::uint32_t>(locals_.size() + new_locals_.size() - 1);
  }
  std::uint32_t temporary(ValType type) {
    const auto found = std::ranges::find(temporaries_, type, &std::pair<ValType, std::uint32_t>::first);
    return found != temporaries_.end() ? found->second : temporaries_.emplace_back(type, new_local(type)).second;
  }

  Bytes assembled() {
    // Those at one place may come in any order that keeps each kind's own: all leave the stack as high as it was.
    std::ranges::stable_sort(patches_, {}, &Patch::at);
    Bytes out;
    Reader reader(body_);
    append_u32(out, reader.u32() + new_locals_.size());
    append(out, body_.subspan(reader.offset(), locals_from_ - reader.offset()));
    for (const ValType type : new_locals_) out.push_back(1), out.push_back(static_cast<std::uint8_t>(type));
    std::size_t from = locals_from_;
    for (const Patch& patch : patches_) {
      append(out, body_.subspan(from, patch.at - from));
      append(out, patch.code.bytes());
      from = patch.at;
    }
    append(out, body_.subspan(from));
    return out;
  }
  static Bytes sized(ByteView body) {
    Bytes out;
    append_u32(out, body.size());
    append(out, body);
    return out;
  }

  const Module& module_;
  const Function& function_;
  const Signature& signature_;
  const DepthPlan::Role role_;
  const std::uint32_t weight_;
  const DepthPlan& depth_;
  const OurGlobals& globals_;
  const ByteView body_;

  std::size_t locals_from_ = 0;  // where the code begins, behind the declarations
  std::vector<ValType> locals_;
  Instruction now_;
  std::vector<Slot> stack_;
  std::vector<Block> blocks_;
  std::uint32_t dead_ = 0;  // blocks open since code went dead, that one included
  std::optional<std::uint32_t> depth_local_;
  std::optional<std::uint32_t> grew_;  // the local that holds what memory.grow answered
  std::vector<ValType> new_locals_;
  std::vector<std::pair<ValType, std::uint32_t>> temporaries_;
  std::vector<Patch> patches_;
};

}  // namespace

Bytes rewritten(const Module& module, std::uint32_t function, const DepthPlan& depth, const OurGlobals& globals) {
  return Rewriting(module, function, depth, globals).run();
}

}  // namespace dugnad::tasks::wasm
