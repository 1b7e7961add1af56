/// Watches a stream of text for stop strings, holding back what may be the start of one.
struct StopStrings {
  private let stops: [String]
  private var held = ""

  init(_ stops: [String]) { self.stops = stops.filter { !$0.isEmpty } }

  enum Outcome: Equatable {
    /// Text that is safe to show.
    case text(String)
    /// The text before the stop string, which was found.
    case stopped(String)
  }

  mutating func append(_ text: String) -> Outcome {
    guard !stops.isEmpty else { return .text(text) }
    held += text
    // The stop that begins first ends the text.
    let found = stops.compactMap { held.firstRange(of: $0)?.lowerBound }.min()
    if let found {
      let before = String(held[..<found])
      held = ""
      return .stopped(before)
    }
    let units = Array(held.utf8)
    let keep = (stops.map { $0.utf8.count }.max() ?? 1) - 1
    for length in stride(from: min(keep, units.count), to: 0, by: -1)
    where stops.contains(where: { $0.utf8.starts(with: units.suffix(length)) }) {
      let shown = String(decoding: units.dropLast(length), as: UTF8.self)
      held = String(decoding: units.suffix(length), as: UTF8.self)
      return .text(shown)
    }
    defer { held = "" }
    return .text(held)
  }

  /// What was held back, at the end of the text.
  mutating func finish() -> String {
    defer { held = "" }
    return held
  }
}
