/// A set of Unicode scalars, as ranges in order.
struct ScalarRanges: Hashable, Sendable {
  /// Ascending, not empty, neither overlapping nor touching.
  private(set) var ranges: [ClosedRange<UInt32>]

  private static let last: UInt32 = 0x10FFFF

  init(_ ranges: [ClosedRange<UInt32>]) {
    self.ranges = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let end = self.ranges.last, range.lowerBound <= end.upperBound &+ 1 {
        self.ranges[self.ranges.count - 1] =
          end.lowerBound...Swift.max(end.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  init(_ scalar: Unicode.Scalar) { self.init([scalar.value...scalar.value]) }

  static let all = ScalarRanges([0...last])

  var isEmpty: Bool { ranges.isEmpty }

  func union(_ other: ScalarRanges) -> ScalarRanges { ScalarRanges(ranges + other.ranges) }

  var complement: ScalarRanges {
    var gaps: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= Self.last { gaps.append(next...Self.last) }
    return ScalarRanges(gaps)
  }

  func intersection(_ other: ScalarRanges) -> ScalarRanges {
    complement.union(other.complement).complement
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    ranges.contains { $0.contains(scalar.value) }
  }

  /// The UTF-8 encodings of the set: each element is a range of bytes for each place. Surrogates, which
  /// have no encoding, are left out.
  ///
  /// As Thompson's `utf8` ranges in RE2: a range is cut where the number of bytes changes and where the
  /// last bytes do not run through all their values.
  var encodings: [[ClosedRange<UInt8>]] {
    var result: [[ClosedRange<UInt8>]] = []
    var open = Array(ranges.reversed())
    while let range = open.popLast() {
      let (low, high) = (range.lowerBound, range.upperBound)
      // Surrogates are cut out with the bounds of lengths.
      if let cut = [0x7F, 0x7FF, 0xD7FF, 0xDFFF, 0xFFFF].first(where: { low <= $0 && $0 < high }) {
        open.append(cut + 1...high)
        open.append(low...cut)
        continue
      }
      guard let first = Unicode.Scalar(low), let last = Unicode.Scalar(high) else { continue }
      let count = UTF8.width(first)
      let cut = (1..<max(1, count)).lazy.map { UInt32(1) << (6 * UInt32($0)) - 1 }
        .first { mask in low & ~mask != high & ~mask && (low & mask != 0 || high & mask != mask) }
      if let mask = cut {
        if low & mask != 0 {
          open.append((low | mask) + 1...high)
          open.append(low...low | mask)
        } else {
          open.append(high & ~mask...high)
          open.append(low...(high & ~mask) - 1)
        }
        continue
      }
      result.append(
        zip(UTF8.encode(first).unsafelyUnwrapped, UTF8.encode(last).unsafelyUnwrapped).map {
          $0...$1
        })
    }
    return result
  }
}
