#include "coordinatorless/core/held_log.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <type_traits>

#include "coordinatorless/core/limits.h"

namespace dugnad::core {
namespace {

using packed::Reader;

template <class Event, class Of>
concept Is = std::same_as<std::remove_const_t<Event>, Of>;

// One list of the fields of each event, for both ways: `each` writes or reads them in order.
template <class Each, Is<held::Afresh> Event>
void fields(Each&, Event&) {}
template <class Each, Is<held::DrawKey> Event>
void fields(Each& each, Event& event) { each(event.key); }
template <class Each, Is<held::UnitsCame> Event>
void fields(Each& each, Event& event) { each(event.first.value), each(event.count); }
template <class Each, Is<held::DonorJoined> Event>
void fields(Each& each, Event& event) { each(event.donor), each(event.peer.bytes), each(event.past); }
template <class Each, Is<held::EstablishedThere> Event>
void fields(Each& each, Event& event) { each(event.any); }
template <class Each, Is<held::FirstsChecked> Event>
void fields(Each& each, Event& event) { each(event.check); }
template <class Each, Is<held::BlockOpened> Event>
void fields(Each& each, Event& event) {
  auto& terms = event.terms;
  each(terms.error), each(terms.assumed), each(terms.units), each(terms.own), each(terms.set_aside);
}
template <class Each, Is<held::BlockEnded> Event>
void fields(Each& each, Event& event) { each(event.at); }
template <class Each, Is<held::NewResult> Event>
void fields(Each& each, Event& event) { each(event.place), each.fixed(event.input_tag), each(event.output); }
template <class Each, Is<held::ResultsCame> Event>
void fields(Each& each, Event& event) { each(event.fresh); }
template <class Each, Is<held::NobodyAudits> Event>
void fields(Each& each, Event& event) { each(event.unit); }
template <class Each, Is<held::NobodyComputes> Event>
void fields(Each& each, Event& event) { each(event.unit); }
template <class Each, Is<held::GivenUp> Event>
void fields(Each& each, Event& event) { each(event.unit), each(event.reason); }
template <class Each, Is<held::TurnEnded> Event>
void fields(Each&, Event&) {}
template <class Each, Is<held::Withdrawn> Event>
void fields(Each& each, Event& event) { each(event.unit); }
template <class Each, Is<held::Convicted> Event>
void fields(Each& each, Event& event) { each(event.donor), each(event.colluded); }

class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}
  void operator()(std::uint64_t number) { packed::put_varint(out_, number); }
  void operator()(std::uint32_t number) { packed::put_varint(out_, number); }
  void operator()(double number) { fixed(std::bit_cast<std::uint64_t>(number)); }
  void operator()(bool flag) { out_.push_back(flag ? 1 : 0); }
  void operator()(Past past) { out_.push_back(static_cast<std::uint8_t>(past)); }
  void operator()(const std::array<std::uint8_t, 32>& bytes) { packed::put(out_, bytes); }
  void operator()(const Bytes& bytes) {
    packed::put_varint(out_, bytes.size());
    packed::put(out_, bytes);
  }
  void operator()(const std::string& text) {
    packed::put_varint(out_, text.size());
    packed::put(out_, view_of(text));
  }
  void operator()(const std::vector<held::NewResult>& results) {
    packed::put_varint(out_, results.size());
    for (const held::NewResult& result : results) fields(*this, result);
  }
  void fixed(std::uint64_t number) { packed::put_u64(out_, number); }

 private:
  Bytes& out_;
};

class FieldReader {
 public:
  explicit FieldReader(Reader& in) : in_(in) {}
  [[nodiscard]] bool well() const { return well_; }

  void operator()(std::uint64_t& number) { number = taken(in_.varint()); }
  void operator()(std::uint32_t& number) {
    const std::uint64_t wide = taken(in_.varint());
    well_ = well_ && wide <= UINT32_MAX;
    number = static_cast<std::uint32_t>(wide);
  }
  void operator()(double& number) {
    fixed(bits_);
    number = std::bit_cast<double>(bits_);
    well_ = well_ && std::isfinite(number) && number >= 0;
  }
  void operator()(bool& flag) {
    const auto byte = in_.byte();
    well_ = well_ && byte && *byte <= 1;
    flag = byte == 1;
  }
  void operator()(Past& past) {
    const auto byte = in_.byte();
    well_ = well_ && byte && *byte <= static_cast<std::uint8_t>(Past::convicted);
    past = static_cast<Past>(byte.value_or(0));
  }
  void operator()(std::array<std::uint8_t, 32>& bytes) {
    if (const auto taken = in_.take(bytes.size())) std::copy(taken->begin(), taken->end(), bytes.begin());
    else well_ = false;
  }
  void operator()(Bytes& bytes) {
    const ByteView view = block();
    bytes.assign(view.begin(), view.end());
  }
  void operator()(std::string& text) { text = to_text(block()); }
  void operator()(std::vector<held::NewResult>& results) {
    const std::uint64_t count = taken(in_.varint());
    well_ = well_ && count <= limits::batch_units_max;
    for (std::uint64_t i = 0; well_ && i < count; ++i) {
      fields(*this, results.emplace_back());
      well_ = well_ && (i == 0 || results[i].place > results[i - 1].place);
    }
  }
  void fixed(std::uint64_t& number) { number = taken(in_.u64()); }

 private:
  std::uint64_t taken(const std::optional<std::uint64_t>& number) {
    well_ = well_ && number.has_value();
    return number.value_or(0);
  }
  ByteView block() {
    const std::uint64_t length = taken(in_.varint());
    const auto view = well_ ? in_.take(length) : std::nullopt;
    well_ = well_ && view.has_value();
    return view.value_or(ByteView{});
  }

  Reader& in_;
  bool well_ = true;
  std::uint64_t bits_ = 0;
};

template <std::size_t Kind = 0>
std::optional<HeldEvent> read_kind(Reader& in, std::size_t kind) {
  if constexpr (Kind < std::variant_size_v<HeldEvent>) {
    if (kind != Kind) return read_kind<Kind + 1>(in, kind);
    std::variant_alternative_t<Kind, HeldEvent> event;
    FieldReader reader(in);
    fields(reader, event);
    return reader.well() ? std::optional<HeldEvent>(std::move(event)) : std::nullopt;
  } else {
    return std::nullopt;
  }
}

}  // namespace

void put_held(Bytes& out, const HeldEvent& event) {
  out.push_back(static_cast<std::uint8_t>(event.index() + 1));
  Writer writer(out);
  std::visit([&](const auto& each) { fields(writer, each); }, event);
}

std::optional<HeldEvent> read_held(Reader& in) {
  const auto kind = in.byte();
  return kind && *kind > 0 ? read_kind(in, std::size_t{*kind} - 1) : std::nullopt;
}

}  // namespace dugnad::core
