import KernelCore

/// Scratch of attention for batches of up to `rows` tokens.
public final class AttentionWorkspace: Sendable {
  /// Tokens whose queries are taken together: with three heads a group, 24 rows of queries.
  static let tokensPerTile = 8

  let group: Int
  let headSize: Int
  /// Rows of queries of a tile.
  var tileRows: Int { Self.tokensPerTile * group }

  /// - Parameter group: query heads that share a key-value head.
  public init(group: Int, headSize: Int) {
    self.group = group
    self.headSize = headSize
  }
}

extension Worker {
  /// Rotates queries and keys, and stores keys and values at positions `first`, `first + 1`, ….
  ///
  /// - Parameters:
  ///   - queries: [rows, heads * headSize], rotated in place.
  ///   - keys, values: [rows, keyValueHeads * headSize].
  public func rotateAndStore(
    queries: FloatMatrix, keys: FloatMatrix, values: FloatMatrix, rows: Int, table: RotaryTable,
    cache: KeyValueCache, layer: Int, first: Int
  ) {
    let size = cache.shape.headSize
    precondition(first + rows <= cache.capacity && table.rotated <= size)
    precondition(keys.columns == cache.shape.heads * size && values.columns == keys.columns)
    share(rows) { row in
      let cosines = UnsafePointer(table.cosines.pointer(row))
      let sines = UnsafePointer(table.sines.pointer(row))
      let query = queries.pointer(row)
      for head in 0..<queries.columns / size {
        kernels.rotate(query + head * size, cosines, sines, table.rotated)
      }
      let key = keys.pointer(row)
      let value = values.pointer(row)
      for head in 0..<cache.shape.heads {
        kernels.rotate(key + head * size, cosines, sines, table.rotated)
        cache.store(
          key: key + head * size, value: value + head * size, layer: layer, head: head,
          position: first + row, kernels: kernels)
      }
    }
  }

  /// Causal grouped-query attention (Ainslie et al. 2023) of `rows` tokens at positions `first`, …
  /// over the cache, into `output` [rows, heads * headSize].
  public func attend(
    queries: FloatMatrix, rows: Int, cache: KeyValueCache, layer: Int, first: Int,
    workspace: AttentionWorkspace, into output: FloatMatrix
  ) {
    precondition(output.columns == queries.columns && first + rows <= cache.capacity)
    let tokens = AttentionWorkspace.tokensPerTile
    let tiles = (rows + tokens - 1) / tokens
    let heads = cache.shape.heads
    // Later tiles see more positions; handing them out first keeps the last thread's wait short.
    share(tiles * heads) { item in
      let tile = tiles - 1 - item / heads
      let range = tile * tokens..<min((tile + 1) * tokens, rows)
      attendTile(queries, range, cache, layer, item % heads, first, workspace, output)
    }
  }

  private func attendTile(
    _ queries: FloatMatrix, _ tokens: Range<Int>, _ cache: KeyValueCache, _ layer: Int,
    _ head: Int, _ first: Int, _ workspace: AttentionWorkspace, _ output: FloatMatrix
  ) {
    let group = workspace.group
    let size = cache.shape.headSize
    let rows = tokens.count * group
    let width = AttentionSpan.positions
    let scale = 1 / Float(size).squareRoot()
    // Queries and two partial values [rows, size], scores [rows, width], four [rows] of sums.
    let floats = rows * (3 * size + width + 4)
    withUnsafeTemporaryAllocation(byteCount: floats * 4, alignment: 64) { bytes in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: rows) { visible in
        guard let memory = bytes.baseAddress?.assumingMemoryBound(to: Float.self),
          let visible = visible.baseAddress
        else { return }
        let gathered = memory
        let scores = gathered + rows * size
        let running = AttentionPartial(
          largest: scores + rows * (width + 2 * size),
          total: scores + rows * (width + 2 * size + 1),
          values: scores + rows * width)
        let next = AttentionPartial(
          largest: running.total + rows, total: running.total + 2 * rows,
          values: running.values + rows * size)

        for (i, token) in tokens.enumerated() {
          let query = queries.pointer(token) + head * group * size
          for j in 0..<group * size { gathered[i * group * size + j] = query[j] * scale }
          for j in 0..<group { visible[i * group + j] = Int32(first + token + 1) }
        }
        let end = first + tokens.upperBound
        for start in stride(from: 0, to: end, by: width) {
          let span = AttentionSpan(
            keys: cache.keys(layer, head, spanOf: start),
            values: cache.values(layer, head, spanOf: start), headSize: size, start: start,
            count: min(width, end - start), queries: gathered, rows: rows,
            visible: visible)
          let partial = start == 0 ? running : next
          switch cache.precision {
          case .half: kernels.attendHalf(span, scores, partial)
          case .single: kernels.attendSingle(span, scores, partial)
          }
          if start > 0 { kernels.mergeSpan(next, running, rows, size) }
        }
        for (i, token) in tokens.enumerated() {
          let target = output.pointer(token) + head * group * size
          for j in 0..<group {
            kernels.finishAttention(running, i * group + j, size, target + j * size)
          }
        }
      }
    }
  }
}
