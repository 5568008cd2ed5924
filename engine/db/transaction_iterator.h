// The iterator of a transaction: its own writes over its snapshot. See Transaction::NewIterator.
#pragma once

#include <memory>

#include "engine/db/key_set.h"
#include "engine/db/transaction_writes.h"
#include "engine/iterator.h"
#include "engine/options.h"

namespace shearpin {

// `base` reads the snapshot between the same bounds, which are copied. Every stretch of keys that
// the iterator's answers rest on is added to `*reads`, unless that is null. Owns `base`; the rest
// outlives it.
std::unique_ptr<Iterator> NewTransactionIterator(std::unique_ptr<Iterator> base, const Bound& lower,
                                                 const Bound& upper,
                                                 const TransactionWrites* writes, KeySet* reads);

}  // namespace shearpin
