// mandelbrot: a picture of the Mandelbrot set, and how many of its points did not escape. A unit is a tile of pixels, its output their
// escape times.
//
// Only IEEE arithmetic, never contracted to a fused operation: so that every machine sees the same escape times, and the picture's upper
// half mirrors the lower one exactly.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "tasks/fixed_plan.h"
#include "tasks/task.h"
#include "tasks/wire.h"

namespace dugnad::tasks {
namespace {

constexpr std::uint32_t side_most = 16'384;
constexpr std::uint32_t tile_side = 128;  // 32 KiB of output: a message takes 64
constexpr std::uint16_t escape_most = 5'000;  // a point that is still near after so many rounds counts as one that never escapes

struct Tile {
  std::uint32_t left = 0;
  std::uint32_t top = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

/// The round in which the point leaves the circle of radius 2, from 1; 0 for never.
std::uint16_t escape_time(double c_re, double c_im) {
  // The main cardioid and the disc to its left never escape, and would cost the most.
  const double right = c_re - 0.25;
  const double square = right * right + c_im * c_im;
  if (square * (square + right) <= 0.25 * (c_im * c_im)) return 0;
  if ((c_re + 1) * (c_re + 1) + c_im * c_im <= 0.0625) return 0;
  double re = 0;
  double im = 0;
  for (std::uint16_t round = 1; round <= escape_most; ++round) {
    const double re_square = re * re;
    const double im_square = im * im;
    const double product = re * im;
    re = re_square - im_square + c_re;
    im = product + product + c_im;
    if (re * re + im * im > 4) return round;
  }
  return 0;
}

Bytes run(ByteView input, const StopToken& stop) {
  Reader in(input);
  const std::uint32_t width = in.u32();
  const std::uint32_t height = in.u32();
  const Tile tile{in.u32(), in.u32(), in.u32(), in.u32()};
  if (!in.complete()) fail_unit("mandelbrot: a unit is 24 bytes");
  if (width < 1 || width > side_most || height < 1 || height > side_most) {
    fail_unit("mandelbrot: the picture's size is out of range");
  }
  if (tile.width > tile_side || tile.height > tile_side) fail_unit("mandelbrot: the tile is too large");
  if (tile.left > width || tile.width > width - tile.left || tile.top > height || tile.height > height - tile.top) {
    fail_unit("mandelbrot: the tile is not within the picture");
  }
  // The set lies within 3 by 2.5 around -0.75; the picture shows that much and what its shape leaves over.
  const double half_pixel = std::max(3.0 / width, 2.5 / height) / 2;
  Writer out;
  for (std::uint32_t y = tile.top; y < tile.top + tile.height; ++y) {
    stop.throw_if_requested();  // a row is two milliseconds at the most
    const double im = (2.0 * y + 1 - height) * half_pixel;
    for (std::uint32_t x = tile.left; x < tile.left + tile.width; ++x) {
      out.u16(escape_time((2.0 * x + 1 - width) * half_pixel - 0.75, im));
    }
  }
  return out.take();
}

using Colour = std::array<std::uint8_t, 3>;

/// Night blue through orange to white and back, 64 steps round, mixed in integers; black where nothing escapes.
Colour colour_of(std::uint16_t time) {
  if (time == 0) return {0, 0, 0};
  constexpr std::array<Colour, 4> stops{{{0, 7, 100}, {32, 107, 203}, {237, 255, 255}, {255, 170, 0}}};
  constexpr unsigned between = 16;
  const unsigned place = time % (stops.size() * between);
  const Colour& from = stops[place / between];
  const Colour& to = stops[(place / between + 1) % stops.size()];
  Colour mixed{};
  for (std::size_t i = 0; i < mixed.size(); ++i) {
    mixed[i] = static_cast<std::uint8_t>((from[i] * (between - place % between) + to[i] * (place % between)) / between);
  }
  return mixed;
}

struct Job {
  std::uint32_t width;
  std::uint32_t height;
  Bytes rgb{};  // made with the first tile: a plan that is only asked for its units stays small
  std::uint64_t inside = 0;

  [[nodiscard]] std::uint64_t columns() const { return (width + tile_side - 1) / tile_side; }
  [[nodiscard]] std::uint64_t units() const { return columns() * ((height + tile_side - 1) / tile_side); }
  [[nodiscard]] Tile tile(std::uint64_t unit) const {
    const auto left = static_cast<std::uint32_t>(unit % columns() * tile_side);
    const auto top = static_cast<std::uint32_t>(unit / columns() * tile_side);
    return {left, top, std::min(tile_side, width - left), std::min(tile_side, height - top)};
  }
  [[nodiscard]] Bytes input(std::uint64_t unit) const {
    const Tile part = tile(unit);
    return Writer().u32(width).u32(height).u32(part.left).u32(part.top).u32(part.width).u32(part.height).take();
  }

  Result<void> add(std::uint64_t unit, ByteView output) {
    const Tile part = tile(unit);
    const std::uint64_t pixels = std::uint64_t{part.width} * part.height;
    if (output.size() != 2 * pixels) {
      return Error{"a tile is " + std::to_string(2 * pixels) + " bytes, not " + std::to_string(output.size())};
    }
    Reader check(output);
    for (std::uint64_t i = 0; i < pixels; ++i) {
      if (check.u16() > escape_most) return Error{"a tile holds an escape time above " + std::to_string(escape_most)};
    }
    if (rgb.empty()) rgb.resize(std::size_t{width} * height * 3);
    Reader in(output);
    for (std::uint32_t y = part.top; y < part.top + part.height; ++y) {
      auto pixel = rgb.begin() + static_cast<std::ptrdiff_t>((std::size_t{y} * width + part.left) * 3);
      for (std::uint32_t x = 0; x < part.width; ++x) {
        const std::uint16_t time = in.u16();
        inside += time == 0 ? 1 : 0;
        const Colour colour = colour_of(time);
        pixel = std::copy(colour.begin(), colour.end(), pixel);
      }
    }
    return {};
  }
  [[nodiscard]] Answer answer() { return {std::to_string(inside), Picture{width, height, std::move(rgb)}}; }
};

}  // namespace

Task mandelbrot() {
  return {
      .name = "mandelbrot",
      .help = "draw the Mandelbrot set, and count the points that did not escape",
      .parameters = {{.name = "width", .help = "the picture's width in pixels", .least = 1, .most = side_most, .fallback = std::nullopt},
                     {.name = "height", .help = "the picture's height in pixels", .least = 1, .most = side_most, .fallback = std::nullopt}},
      .run = run,
      .plan =
          [](const Parameters& given) {
            return fixed_plan(Job{static_cast<std::uint32_t>(given.at("width")), static_cast<std::uint32_t>(given.at("height"))});
          },
      .check = {},
  };
}

}  // namespace dugnad::tasks
