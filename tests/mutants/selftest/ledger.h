// Ledger: a thing to be counted wrong by the mutants of the machinery's own test.
#pragma once

namespace shearpin::mutants {

class Ledger {
 public:
  void Add(int amount);
  int balance() const { return balance_; }

  // The most that one Add may bring.
  static int Limit();

 private:
  int balance_ = 0;
};

}  // namespace shearpin::mutants
