import KernelCore
import Testing

@testable import Compute

@Suite struct ReadAheadTests {
  @Test("all of each region is taken, in order and in whole lines", arguments: [1, 18, 48])
  func regions(blocks: Int) {
    withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 64) { memory in
      let regions = [0..<5760, 5760..<5761, 6016..<6016, 7040..<16000].map {
        UnsafeRawBufferPointer(rebasing: memory[$0])
      }
      regions.withUnsafeBufferPointer { list in
        var ahead = ReadAhead(list, rate: 320)
        var next = regions.makeIterator()
        var region = next.next()
        var expected = region?.baseAddress
        while let (start, rate) = ahead.take(blocks: blocks) {
          #expect(start == expected && rate % 64 == 0 && rate <= 320)
          let end = start + blocks * rate
          if let own = region, let base = own.baseAddress, end >= base + own.count {
            // At most a line with each block is too much.
            #expect(end - base < own.count + 64 * blocks)
            region = next.next()
            expected = region?.baseAddress
          } else {
            #expect(rate == 320)
            expected = end
          }
        }
        #expect(region == nil, "some regions were left")
      }
    }
  }

  @Test(
    "upcoming reads are within the caches, and what products have time for",
    arguments: KeyValueCache.Precision.allCases)
  func upcoming(precision: KeyValueCache.Precision) throws {
    let shape = KeyValueCache.Shape(layers: 2, heads: 3, headSize: 64)
    // Read in part: 30 of one span, two whole ones and 88 of a third.
    let slices = try [30, 600].map { count in
      let cache = try KeyValueCache(shape, capacity: 1024, precision: precision)
      cache.extend(by: count - 1)
      return SequenceSlice(cache: cache, rows: 0..<1)
    }
    let upcoming = UpcomingReads(blocks: 1_000_000)
    for layer in 0..<2 {
      upcoming.set(slices, layer: layer)
      var bytes = 0
      while let (start, rate) = upcoming.state.pointee.take(blocks: 1) {
        bytes += rate
        #expect(
          slices.contains {
            let contents = UnsafeRawPointer($0.cache.contents)
            return start >= contents && start < contents + 4 * $0.cache.spanBytes
          })
      }
      let whole = slices[0].cache.shape.bytesReadPerPosition(precision) / 2
      #expect(bytes > 600 * whole && bytes < 760 * whole, "\(bytes) of \(whole) a position")
    }
    upcoming.clear()
    #expect(upcoming.state.pointee.take(blocks: 1) == nil)

    let short = UpcomingReads(blocks: 10)
    short.set(slices, layer: 0)
    var taken = 0
    while let (_, rate) = short.state.pointee.take(blocks: 1) { taken += rate }
    #expect(taken >= 3200 && taken < 3200 + 70_000)
  }

  @Test(
    "of earlier spans a token reads all keys of those for later ones, of its own what it sees, whole panels"
  )
  func keys() throws {
    let shape = KeyValueCache.Shape(layers: 2, heads: 3, headSize: 64)
    for precision in KeyValueCache.Precision.allCases {
      let cache = try KeyValueCache(shape, capacity: 1024, precision: precision)
      cache.extend(by: 599)
      let slice = SequenceSlice(cache: cache, rows: 0..<1)
      for start in [0, 256] {
        let span = cache.span(1, 2, of: start)
        let distant = span.distantKeys ?? span.keys
        let read = slice.keysRead(span, from: start)
        #expect(read.baseAddress == UnsafeRawPointer(distant.columns))
        #expect(read.count == 256 * distant.encoding.bytes(headSize: 64))
      }
      let own = cache.span(1, 2, of: 512)
      let read = slice.keysRead(own, from: 512)
      #expect(read.baseAddress == UnsafeRawPointer(own.keys.columns))
      #expect(read.count == 96 * 64 * own.keys.encoding.bytes)
    }
  }
}
