import Swiftlet

/// The page of `inspect --stats --html`: one file of HTML and SVG, without scripts and without anything
/// from elsewhere.
struct StatisticsPage {
  private let file: GGUFFile
  private let statistics: StatisticsReport
  private let mixture: TypeMixture

  init(_ file: GGUFFile, _ statistics: StatisticsReport) {
    self.file = file
    self.statistics = statistics
    mixture = TypeMixture(file)
  }

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(title)): weights</title>
    <style>\(Self.style)</style>
    </head>
    <body>
    <h1>\(escaped(title))</h1>
    <p class="quiet">\(escaped(file.name)), \(file.tensors.count) tensors,
    \(Self.mebibytes(file.byteCount))</p>
    \(faultLine)
    <h2>Bytes by type</h2>
    \(typeBar)
    \(blockCharts)
    <h2>Tensors</h2>
    <p class="quiet">Distributions run from the least value to the largest; heights are square roots of
    counts, so that rare values show.</p>
    \(table)
    </body>
    </html>

    """
  }

  private var title: String {
    if case .string(let name)? = file.entry("general.name")?.value, !name.isEmpty { return name }
    return file.name.split(separator: "/").last.map(String.init) ?? file.name
  }

  private var faultLine: String {
    let bad = statistics.tensors.filter { $0.nan > 0 || $0.infinite > 0 }
    guard !bad.isEmpty else { return "" }
    let names = bad.prefix(10).map { escaped($0.name) }.joined(separator: ", ")
    return "<p class=\"bad\">Values that are not finite in \(bad.count) tensors: \(names)"
      + "\(bad.count > 10 ? ", …" : "")</p>"
  }

  // MARK: Types

  /// A color for each type, most bytes first.
  private func color(_ type: String) -> String {
    let place = mixture.shares.firstIndex { $0.type.name == type } ?? 0
    return "var(--c\(place % 6))"
  }

  private var typeBar: String {
    let total = Double(max(1, mixture.shares.reduce(0) { $0 + $1.bytes }))
    var (x, parts, legend) = (0.0, "", "")
    for share in mixture.shares {
      let width = 1000 * Double(share.bytes) / total
      parts +=
        "<rect x=\"\(number(x))\" y=\"0\" width=\"\(number(width))\" height=\"24\" "
        + "fill=\"\(color(share.type.name))\"/>"
      x += width
      let reasons = share.reasons.isEmpty ? "" : ": " + share.reasons.joined(separator: "; ")
      legend +=
        "<li><span class=\"key\" style=\"background:\(color(share.type.name))\"></span>"
        + "<b>\(escaped(share.type.name))</b> \(share.tensors) tensors, "
        + "\(Self.mebibytes(share.bytes)), \(number(100 * Double(share.bytes) / total)) %"
        + "\(escaped(reasons))</li>\n"
    }
    return """
      <svg viewBox="0 0 1000 24" class="bar" preserveAspectRatio="none" role="img"
       aria-label="Bytes by type">\(parts)</svg>
      <ul class="legend">
      \(legend)</ul>
      """
  }

  // MARK: Blocks

  /// For each part that several blocks have, such as `attn_q`, how its spread goes through the blocks.
  private var blockCharts: String {
    var order: [String] = []
    var series: [String: [(block: Int, deviation: Double)]] = [:]
    for tensor in statistics.tensors {
      let parts = tensor.name.split(separator: ".", maxSplits: 2)
      guard parts.count == 3, parts[0] == "blk", let block = Int(parts[1]) else { continue }
      let part = String(parts[2])
      if series[part] == nil { order.append(part) }
      series[part, default: []].append((block, tensor.standard_deviation))
    }
    let charts = order.compactMap { part -> String? in
      let points = (series[part] ?? []).sorted { $0.block < $1.block }
      return points.count > 2 ? chart(part, points) : nil
    }
    guard !charts.isEmpty else { return "" }
    return """
      <h2>Standard deviation by block</h2>
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      """
  }

  private func chart(_ part: String, _ points: [(block: Int, deviation: Double)]) -> String {
    let most = points.map(\.deviation).max() ?? 0
    let last = Double(max(1, points.last?.block ?? 1))
    let line = points.map { point in
      let x = 200 * Double(point.block) / last
      let y = 70 - (most > 0 ? 64 * point.deviation / most : 0)
      return "\(number(x)),\(number(y))"
    }.joined(separator: " ")
    return """
      <figure><figcaption>\(escaped(part)) <span class="quiet">0 to \(short(most))</span></figcaption>
      <svg viewBox="-2 0 204 74" role="img" aria-label="Deviation of \(escaped(part))">
      <line x1="0" y1="70" x2="200" y2="70" class="axis"/><polyline points="\(line)" class="line"/></svg>
      </figure>
      """
  }

  // MARK: Tensors

  private var table: String {
    let rows = statistics.tensors.map { tensor in
      var notes: [String] = []
      if tensor.nan > 0 { notes.append("\(tensor.nan) NaN") }
      if tensor.infinite > 0 { notes.append("\(tensor.infinite) infinite") }
      let shape = (file.tensor(tensor.name)?.dimensions ?? []).map(String.init)
      let numbers = [
        Double(tensor.minimum), Double(tensor.maximum), tensor.mean, tensor.standard_deviation,
      ]
      return """
        <tr><td>\(escaped(tensor.name))</td><td><span class="key" \
        style="background:\(color(tensor.type))"></span>\(escaped(tensor.type))</td>\
        <td>\(shape.joined(separator: " × "))</td>\
        \(numbers.map { "<td class=\"n\">\(short($0))</td>" }.joined())\
        <td class="n">\(tensor.zeros)</td><td>\(histogram(tensor.histogram))\
        <span class="bad">\(notes.joined(separator: ", "))</span></td></tr>
        """
    }
    let skipped = statistics.skipped.map { tensor in
      "<tr><td>\(escaped(tensor.name))</td><td colspan=\"8\" class=\"bad\">"
        + "\(escaped(tensor.reason))</td></tr>"
    }
    let names = ["minimum", "maximum", "mean", "deviation", "zeros"]
    return """
      <div class="wide"><table>
      <thead><tr><th>tensor</th><th>type</th><th>shape</th>\
      \(names.map { "<th class=\"n\">\($0)</th>" }.joined())<th>distribution</th></tr></thead>
      <tbody>
      \((rows + skipped).joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  private func histogram(_ counts: [Int]) -> String {
    let most = Double(max(1, counts.max() ?? 1)).squareRoot()
    let width = 200 / Double(max(1, counts.count))
    var path = "M0 28"
    for (index, count) in counts.enumerated() {
      let y = 28 - 27 * Double(count).squareRoot() / most
      path += "L\(number(Double(index) * width)) \(number(y))"
      path += "L\(number(Double(index + 1) * width)) \(number(y))"
    }
    return "<svg viewBox=\"0 0 200 28\" class=\"histogram\" aria-hidden=\"true\">"
      + "<path d=\"\(path)L200 28Z\"/></svg>"
  }

  // MARK: Text

  /// Names come from the file and may hold anything.
  private func escaped(_ text: String) -> String {
    printable(text, limit: 200).replacing("&", with: "&amp;")
      .replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
  }

  private func number(_ value: Double) -> String { formatted("%.1f", value) }
  private func short(_ value: Double) -> String { formatted("%.4g", value) }
  private static func mebibytes(_ count: Int) -> String {
    formatted("%.1f MiB", Double(count) / Double(1 << 20))
  }

  private static let style = """
    :root{--back:#fff;--text:#1d2733;--quiet:#667484;--rule:#dfe5ea;--line:#2463c4;--bad:#c02626;
    --c0:#2463c4;--c1:#e08a1e;--c2:#3a9a6b;--c3:#9a52b8;--c4:#c9485b;--c5:#4aa5b8}
    @media(prefers-color-scheme:dark){:root{--back:#14191f;--text:#e4eaf0;--quiet:#92a0ae;
    --rule:#2c353f;--line:#6fa3ef;--bad:#ff7b7b;--c0:#6fa3ef;--c1:#f0ac55;--c2:#68c296;--c3:#c08ad8;
    --c4:#e8808f;--c5:#79c7d6}}
    body{font:15px/1.5 system-ui,sans-serif;background:var(--back);color:var(--text);max-width:1200px;
    margin:2rem auto;padding:0 1.5rem}
    h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
    .quiet{color:var(--quiet);margin:.2rem 0}.bad{color:var(--bad)}
    .bar{width:100%;height:24px;border-radius:4px;display:block}
    .legend{list-style:none;padding:0;margin:.5rem 0}.key{display:inline-block;width:.7em;height:.7em;
    border-radius:2px;margin-right:.4em}
    .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:1rem}
    figure{margin:0}figcaption{font-size:.85rem}.axis{stroke:var(--rule)}
    .line{fill:none;stroke:var(--line);stroke-width:1.5;stroke-linejoin:round}
    .wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;width:100%}
    th{position:sticky;top:0;background:var(--back);text-align:left}
    th,td{padding:.15rem .6rem .15rem 0;border-bottom:1px solid var(--rule);white-space:nowrap}
    .n{text-align:right;font-variant-numeric:tabular-nums}
    .histogram{width:200px;height:28px;vertical-align:middle}.histogram path{fill:var(--line)}
    """
}
