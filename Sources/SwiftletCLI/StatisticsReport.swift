import Swiftlet

/// What `inspect --stats` says of each tensor.
struct StatisticsReport: Encodable {
  struct Row: Encodable {
    let name: String
    let type: String
    let minimum: Float
    let maximum: Float
    let mean: Double
    let standard_deviation: Double
    let nan: Int
    let infinite: Int
    let zeros: Int
    let histogram: [Int]
  }

  struct Skipped: Encodable {
    let name: String
    let reason: String
  }

  let file: String
  let tensors: [Row]
  /// Tensors of types that cannot be read.
  let skipped: [Skipped]

  /// - Parameter bins: steps of the histograms.
  init(_ file: GGUFFile, bins: Int = 16) throws {
    try file.requireData()
    var rows: [Row] = []
    var skipped: [Skipped] = []
    for tensor in file.tensors {
      do {
        let found = try TensorStatistics(tensor, in: file, bins: bins)
        rows.append(
          Row(
            name: tensor.name, type: tensor.type.name, minimum: found.minimum,
            maximum: found.maximum, mean: found.mean, standard_deviation: found.standardDeviation,
            nan: found.notANumber, infinite: found.infinite, zeros: found.zeros,
            histogram: found.histogram))
      } catch {
        skipped.append(Skipped(name: tensor.name, reason: "\(error)"))
      }
      file.releasePages(of: tensor)
    }
    self.file = file.name
    tensors = rows
    self.skipped = skipped
  }

  var text: String {
    var lines = [
      "tensor".padded(32) + "type".padded(7)
        + ["minimum", "maximum", "mean", "deviation"].map { $0.padded(12) }.joined()
        + "distribution, minimum to maximum"
    ]
    for row in tensors {
      let numbers = [
        Double(row.minimum), Double(row.maximum), row.mean, row.standard_deviation,
      ].map { formatted("%.4g", $0).padded(12) }.joined()
      var line = printable(row.name).padded(32) + row.type.padded(7) + numbers + bars(row.histogram)
      if row.nan > 0 { line += " \(row.nan) NaN" }
      if row.infinite > 0 { line += " \(row.infinite) infinite" }
      lines.append(line)
    }
    for tensor in skipped {
      lines.append(printable("\(tensor.name): \(tensor.reason)", limit: 200))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A bar for each step, the fullest one the highest.
  private func bars(_ histogram: [Int]) -> String {
    let levels = Array(" ▁▂▃▄▅▆▇█")
    let most = max(1, histogram.max() ?? 1)
    return String(
      histogram.map { count in
        count == 0 ? levels[0] : levels[max(1, (count * 8 + most - 1) / most)]
      })
  }
}
