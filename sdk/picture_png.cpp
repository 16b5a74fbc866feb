#include "dugnad/picture_png.h"

#include <png.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace dugnad::sdk {

Result<void> write_png(const tasks::Picture& picture, const std::string& path) {
  const auto cannot = [&](const std::string& reason) { return Error{"cannot write the picture " + path + ": " + reason}; };
  if (picture.rgb.size() != std::size_t{3} * picture.width * picture.height) return cannot("its size is not what it says");
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = picture.width;
  image.height = picture.height;
  image.format = PNG_FORMAT_RGB;
  const std::string part = path + ".part";
  if (png_image_write_to_file(&image, part.c_str(), 0, picture.rgb.data(), 0, nullptr) == 0) {
    const std::string reason = image.message;
    std::remove(part.c_str());
    return cannot(reason);
  }
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(part.c_str());
    return cannot(reason);
  }
  return {};
}

}  // namespace dugnad::sdk
