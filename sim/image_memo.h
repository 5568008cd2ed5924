// ImageMemo: what is known of images that were recovered, by their content hash.
//
// Open addressing over one array: a look-up is a cache miss or two, and an exploration makes
// several for each image it recovers. Never iterated, so no order reaches a decision.
//
// Thread safety: one thread at a time. Ownership: values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace shearpin::sim {

class ImageMemo {
 public:
  struct Known {
    uint64_t image = 0;   // its hash; 0 is an empty place
    bool wrong = false;   // a finding already
    bool queued = false;  // its recovery is explored, or was
    bool judged = false;  // by the oracle, for the pair below; else only the state is known
    // The pair that explained the state, as sequence numbers, and the model's rebuilds then.
    uint64_t n = 0;
    uint64_t flushed = 0;
    uint64_t rebuilds = 0;
    uint64_t state = 0;        // hash of what was found; 0: not known, or it was refused
    uint64_t checkpoints = 0;  // as many copies of the store were found in it
  };

  ImageMemo() : places_(1024) {}

  // The entry of this image, new (with only `image` set) if there was none; until the next call.
  Known* Find(uint64_t image) {
    if (2 * used_ >= places_.size()) Grow();
    image = image == 0 ? 1 : image;
    Known* const place = PlaceOf(image);
    if (place->image == 0) {
      place->image = image;
      ++used_;
    }
    return place;
  }

  size_t size() const { return used_; }

 private:
  Known* PlaceOf(uint64_t image) {
    size_t at = image & (places_.size() - 1);
    while (places_[at].image != 0 && places_[at].image != image) at = (at + 1) % places_.size();
    return &places_[at];
  }

  void Grow() {
    std::vector<Known> old(2 * places_.size());
    old.swap(places_);
    for (const Known& known : old) {
      if (known.image != 0) *PlaceOf(known.image) = known;
    }
  }

  std::vector<Known> places_;
  size_t used_ = 0;
};

}  // namespace shearpin::sim
