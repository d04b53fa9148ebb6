#include "kernels/descriptor/best_two.h"

#include "kernels/simd.h"

namespace cairn::CAIRN_ISA {
namespace {

/// A vector of best twos.
template <class T>
struct Lanes {
  using Index = decltype(Vector<T>{} > Vector<T>{});
  Vector<T> best, second;
  Index index;

  // Strictly above: of equal ones the first stays, and NaN never enters.
  void raise(Vector<T> s, Index at) {
    const Index above = s > best;
    const Vector<T> loser = above ? best : s;
    second = loser > second ? loser : second;
    best = above ? s : best;
    index = above ? at : index;
  }
};

template <class T>
typename Lanes<T>::Index load_index(const IndexLike<T>* p) {
  typename Lanes<T>::Index v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
void raise_columns(const Similarities<T>& x, const BestTwo<T>& two) {
  for (int64_t j = 0; j < x.columns; j += lanes<T>) {
    Lanes<T> l{load(two.best + j), load(two.second + j), load_index<T>(two.index + j)};
    for (int64_t i = 0; i < x.rows; ++i) {
      const typename Lanes<T>::Index at =
          IndexLike<T>(x.first_row + i) - typename Lanes<T>::Index{};
      l.raise(load(x.s + i * x.stride + j), at);
    }
    store(two.best + j, l.best);
    store(two.second + j, l.second);
    __builtin_memcpy(two.index + j, &l.index, sizeof l.index);
  }
}

template <class T>
void raise_row(const T* s, int64_t columns, int64_t first_column, T& best, T& second,
               IndexLike<T>& index) {
  const Vector<T> none = broadcast(T(-__builtin_inf()));
  Lanes<T> l{none, none, typename Lanes<T>::Index{} - 1};
  typename Lanes<T>::Index at{};
  for (int k = 0; k < lanes<T>; ++k) at[k] = IndexLike<T>(first_column + k);
  for (int64_t j = 0; j < columns; j += lanes<T>) {
    l.raise(load(s + j), at);
    at += lanes<T>;
  }
  for (int k = 0; k < lanes<T>; ++k) {
    const T s1 = l.best[k];
    // A lower index wins a tie between lanes, as well as against what came before.
    const bool above = s1 > best || (s1 == best && l.index[k] >= 0 && l.index[k] < index);
    const T loser = above ? best : s1;
    second = loser > second ? loser : second;
    second = l.second[k] > second ? l.second[k] : second;
    if (!above) continue;
    best = s1;
    index = l.index[k];
  }
}

template <class T>
void raise_both(const Similarities<T>& x, const BestTwo<T>& of_row, const BestTwo<T>& of_column) {
  raise_columns(x, of_column);
  for (int64_t i = 0; i < x.rows; ++i)
    raise_row(x.s + i * x.stride, x.columns, x.first_column, of_row.best[i], of_row.second[i],
              of_row.index[i]);
}

}  // namespace

void raise_best_two(const Similarities<float>& x, BestTwo<float> r, BestTwo<float> c) {
  raise_both(x, r, c);
}
void raise_best_two(const Similarities<double>& x, BestTwo<double> r, BestTwo<double> c) {
  raise_both(x, r, c);
}

}  // namespace cairn::CAIRN_ISA
