#include "sim/dataset.h"

namespace shearpin::sim {
namespace {

bool Unescape(std::string_view text, std::string* bytes) {
  bytes->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      *bytes += text[i];
      continue;
    }
    if (++i == text.size()) return false;
    switch (text[i]) {
      case 't':
        *bytes += '\t';
        break;
      case 'n':
        *bytes += '\n';
        break;
      case '\\':
        *bytes += '\\';
        break;
      default:
        return false;
    }
  }
  return true;
}

}  // namespace

StatusOr<Dataset> ParseDataset(std::string_view text, std::string_view file) {
  Dataset dataset;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const std::string where = std::string(file) + ":" + std::to_string(number) + ": ";
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) {
      return Status::InvalidArgument(where + "expected a key, a tab and a value, found no tab");
    }
    auto& [key, value] = dataset.emplace_back();
    if (!Unescape(line.substr(0, tab), &key) || !Unescape(line.substr(tab + 1), &value)) {
      return Status::InvalidArgument(where + "unknown escape (expected \\t, \\n or \\\\)");
    }
  }
  if (dataset.empty()) {
    return Status::InvalidArgument(std::string(file) + ": no key<TAB>value line in it");
  }
  return dataset;
}

}  // namespace shearpin::sim
