// The public face: DB forwards to DB::Impl.
#include "engine/db.h"

#include <algorithm>
#include <utility>

#include "engine/db/db_impl.h"

namespace shearpin {

DB::Impl::Impl(const Options& options, std::string directory)
    : options_(options),
      directory_(std::move(directory)),
      fs_(options.env.file_system),
      scheduler_(options.env.scheduler),
      statistics_(options.env.scheduler, options.env.clock, options.enable_latency_histograms),
      events_(&statistics_, options.listener),
      cache_(options.block_cache != nullptr ? options.block_cache
             : options.block_cache_size != 0
                 ? std::make_shared<BlockCache>(options.env.scheduler, options.block_cache_size)
                 : nullptr),
      open_files_(fs_, scheduler_, static_cast<size_t>(options.max_open_files)),
      mutex_(options.env.scheduler),
      flush_work_(&mutex_),
      compaction_work_(&mutex_),
      progress_(&mutex_),
      history_(options.transaction_history_bytes),
      read_state_(options.env.scheduler, &published_),
      manifest_mutex_(options.env.scheduler),
      background_rate_(options.env.scheduler, options.background_write_rate),
      policy_(NewCompactionPolicy(options)) {
  table_context_.cache = cache_.get();
  table_context_.listener = &events_;
  table_context_.files = &open_files_;
}

DB::Impl::~Impl() = default;

// Requires mutex_, for levels below 0: the deepest level with data counts as the bottom.
TableBuilderOptions DB::Impl::BuilderOptions(int level) const {
  TableBuilderOptions builder{.file_id = 0,
                              .block_size = options_.block_size,
                              .block_restart_interval = options_.block_restart_interval,
                              .compression = Compression::kNone,
                              .filter_bits_per_key = options_.filter_bits_per_key};
  if (!options_.compression.empty()) {
    const size_t at = std::min(static_cast<size_t>(level), options_.compression.size() - 1);
    builder.compression = options_.compression[at];
  }
  if (level == 0 || !options_.bottommost_compression) return builder;
  for (int deeper = level + 1; deeper < kNumLevels; ++deeper) {
    if (!version_->level(deeper).empty()) return builder;
  }
  builder.compression = *options_.bottommost_compression;
  return builder;
}

std::shared_ptr<const TableFile> DB::Impl::NewTableFile(const FileMeta& meta) {
  return std::make_shared<TableFile>(fs_, scheduler_, directory_, meta, &table_context_);
}

void DB::Impl::Notify(EventKind kind, uint64_t number, uint64_t amount, std::string_view detail) {
  events_.OnEvent({kind, number, amount, detail});
}

StatusOr<std::unique_ptr<DB>> DB::Open(const Options& options, const std::string& directory) {
  SHEARPIN_RETURN_IF_ERROR(ValidateOptions(options));
  auto impl = std::make_unique<Impl>(options, directory);
  SHEARPIN_RETURN_IF_ERROR(impl->Open());
  return std::unique_ptr<DB>(new DB(std::move(impl)));
}

StatusOr<std::unique_ptr<DB>> DB::OpenReadOnly(const Options& options,
                                               const std::string& directory) {
  SHEARPIN_RETURN_IF_ERROR(ValidateOptions(options));
  auto impl = std::make_unique<Impl>(options, directory);
  SHEARPIN_RETURN_IF_ERROR(impl->OpenReadOnly());
  return std::unique_ptr<DB>(new DB(std::move(impl)));
}

DB::DB(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

DB::~DB() { impl_->Close().IgnoreError(); }

Status DB::Put(std::string_view key, std::string_view value, const WriteOptions& options) {
  WriteBatch batch;
  batch.Put(key, value);
  return impl_->Write(&batch, options);
}

Status DB::Delete(std::string_view key, const WriteOptions& options) {
  WriteBatch batch;
  batch.Delete(key);
  return impl_->Write(&batch, options);
}

Status DB::DeleteRange(std::string_view begin, std::string_view end, const WriteOptions& options) {
  WriteBatch batch;
  batch.DeleteRange(begin, end);
  return impl_->Write(&batch, options);
}

Status DB::Write(WriteBatch* batch, const WriteOptions& options) {
  return impl_->Write(batch, options);
}

Status DB::Get(std::string_view key, std::string* value, const ReadOptions& options) {
  return impl_->Get(key, value, options);
}

std::unique_ptr<Iterator> DB::NewIterator(const ReadOptions& options) {
  return impl_->NewIterator(options);
}

std::unique_ptr<Iterator> DB::Scan(const Bound& lower, const Bound& upper,
                                   const ReadOptions& options) {
  ReadOptions bounded = options;
  bounded.lower = lower;
  bounded.upper = upper;
  auto iterator = impl_->NewIterator(bounded);
  iterator->SeekToFirst();
  return iterator;
}

std::unique_ptr<Snapshot> DB::GetSnapshot() { return impl_->GetSnapshot(); }

std::unique_ptr<Transaction> DB::BeginTransaction(const TransactionOptions& options) {
  return impl_->BeginTransaction(options);
}

uint64_t DB::LatestSequence() const { return impl_->LatestSequence(); }

Status DB::Sync() {
  WriteBatch empty;
  return impl_->Write(&empty, {.durability = Durability::kSync});
}

Status DB::Flush() { return impl_->Flush(); }

Status DB::CompactRange(const std::string_view* begin, const std::string_view* end) {
  return impl_->CompactRange(begin, end);
}

Status DB::WaitForBackground() { return impl_->WaitForBackground(); }

StatusOr<uint64_t> DB::Checkpoint(const std::string& directory) {
  return impl_->Checkpoint(directory);
}

StatusOr<uint64_t> DB::IngestTable(const std::string& path, std::atomic<uint64_t>* numbered) {
  return impl_->IngestTable(path, numbered);
}

Status DB::Resume() { return impl_->Resume(); }

Status DB::VerifyChecksums() { return impl_->VerifyChecksums(); }

StatusOr<std::string> DB::Property(std::string_view name) { return impl_->Property(name); }

Status DB::Close() { return impl_->Close(); }

}  // namespace shearpin
