#include "sim/dataset.h"

#include "engine/base/tsv_field.h"

namespace shearpin::sim {
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
    if (!UnescapeField(line.substr(0, tab), &key) || !UnescapeField(line.substr(tab + 1), &value)) {
      return Status::InvalidArgument(where + "unknown escape (expected \\t, \\n or \\\\)");
    }
  }
  if (dataset.empty()) {
    return Status::InvalidArgument(std::string(file) + ": no key<TAB>value line in it");
  }
  return dataset;
}

}  // namespace shearpin::sim
