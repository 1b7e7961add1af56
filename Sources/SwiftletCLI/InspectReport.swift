import Swiftlet

/// What `inspect` says of a file: what it is, why it is as it is, and what running it takes. The JSON's
/// fields are described in docs/inspect.md.
struct InspectReport {
  let file: GGUFFile
  let contextLength: Int
  let shape: Hyperparameters?
  let mixture: TypeMixture
  let tokenizer: Tokenizer?
  let template: TemplateExample?
  let cost: RunningCost?
  let speed: ExpectedSpeed?
  /// Why Swiftlet does not run the file.
  let faults: [String]

  /// - Parameter contextLength: positions to count memory for; nil is what `run` would take.
  init(_ file: GGUFFile, contextLength: Int?) {
    self.file = file
    shape = try? Hyperparameters(file)
    let context =
      contextLength ?? min(LanguageModel.defaultContextLength, shape?.contextLength ?? .max)
    self.contextLength = context
    mixture = TypeMixture(file)
    tokenizer = try? Tokenizer(file)
    template = TemplateExample(file)
    cost = shape.map { RunningCost(file, $0) }
    faults = file.faults
    speed =
      faults.isEmpty ? cost.flatMap { ExpectedSpeed($0, contextLength: context) } : nil
  }

  var parameterCount: Int {
    file.tensors.reduce(0) { sum, tensor in
      let (total, overflow) = sum.addingReportingOverflow(tensor.valueCount)
      return overflow ? .max : total
    }
  }

  var bitsPerWeight: Double {
    8 * Double(mixture.shares.reduce(0) { $0 + $1.bytes }) / Double(max(1, parameterCount))
  }
}

/// A chat template, and what it makes of a greeting.
struct TemplateExample {
  let characters: Int
  /// The prompt, or why there is none.
  let result: Result<String, any Error>

  /// nil where the file has no template.
  init?(_ file: GGUFFile) {
    guard case .string(let source)? = file.entry("tokenizer.chat_template")?.value else {
      return nil
    }
    characters = source.unicodeScalars.count
    result = Result {
      try ChatTemplate(file).render([ChatMessage(.user, "Hello")]).map(\.text).joined()
    }
  }
}

/// Tokens a second on this machine, from the speed at which it reads memory.
struct ExpectedSpeed {
  let threads: Int
  /// Bytes a second.
  let readBandwidth: Double
  /// At the start of a context, and at its end.
  let tokensPerSecond: (first: Double, last: Double)

  /// Weights that a processor's cache may hold are not limited by memory.
  private static let leastBytes = 32 << 20

  /// nil where reading memory does not limit the speed.
  init?(_ cost: RunningCost, contextLength: Int) {
    guard cost.weightBytes >= Self.leastBytes else { return nil }
    let team = ComputeTeam(threads: ComputeTeam.coreCount)
    threads = team.threadCount
    let bandwidth = team.readBandwidth(mebibytes: 128, rounds: 4)
    readBandwidth = bandwidth
    func expected(_ depth: Int) -> Double {
      RunningCost.expectedShare * cost.mostTokensPerSecond(bandwidth: bandwidth, depth: depth)
    }
    tokensPerSecond = (expected(0), expected(contextLength))
  }
}

// MARK: Text

extension InspectReport {
  var text: String {
    var lines = [
      row("File", "\(file.name) (\(bytes(file.byteCount)), GGUF version \(file.version))"),
      row("Name", string("general.name") ?? "not said"),
    ]
    lines += architectureLines
    lines.append(
      row(
        "Parameters", "\(count(parameterCount)), \(formatted("%.2f", bitsPerWeight)) bits each"
      ))
    lines += typeLines + tokenizerLines + templateLines
    if let cost { lines += costLines(cost) }
    lines.append(
      row("Swiftlet runs it", faults.isEmpty ? "yes" : "no: \(faults.joined(separator: "; "))"))
    return lines.map { line in
      String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }

  private var architectureLines: [String] {
    let name = string("general.architecture") ?? "not said"
    guard let shape else { return [row("Architecture", name)] }
    let sharing =
      shape.groupSize == 1
      ? "\(shape.headCount) heads of \(shape.headSize)"
      : "\(shape.headCount) heads over \(shape.keyValueHeadCount) key-value heads of "
        + "\(shape.headSize) (grouped queries)"
    let scale = shape.ropePositionScale == 1 ? "" : " scaled by \(shape.ropePositionScale)"
    let head =
      file.tensor("output.weight") == nil
      ? "embedding of \(shape.embeddingLength), which is also the output head"
      : "embedding of \(shape.embeddingLength), an output head of its own"
    return [
      row(
        "Architecture",
        "\(name): a decoder-only transformer of \(shape.blockCount) blocks, with RMS norms"),
      row(
        "Attention", "\(sharing), rotary positions of base \(Int(shape.ropeFrequencyBase))\(scale)"
      ),
      row(
        "Feed-forward",
        "SwiGLU, \(shape.embeddingLength) to \(shape.feedForwardLength) and back"),
      row("Vocabulary", "\(shape.vocabularySize) tokens, \(head)"),
      row("Context", "\(shape.contextLength) tokens"),
    ]
  }

  private var typeLines: [String] {
    var header = "\(mixture.name ?? "none"), \(file.tensors.count) tensors:"
    if let wrong = mixture.wrongName { header += " general.file_type says \(wrong)" }
    var lines = [row("Quantization", header)]
    for share in mixture.shares {
      let percent = 100 * Double(share.bytes) / Double(max(1, file.byteCount))
      let reasons = share.reasons.isEmpty ? "" : "  " + share.reasons.joined(separator: "; ")
      lines.append(
        "  \(share.type.name.padded(8)) \(String(share.tensors).padded(5)) "
          + "\(bytes(share.bytes).padded(11)) "
          + "\(formatted("%.1f", percent)) %".padded(7) + printable(reasons, limit: 400))
    }
    if let matrix = mixture.importanceMatrix { lines.append(row("Importance", matrix)) }
    return lines
  }

  private var tokenizerLines: [String] {
    guard let tokenizer else {
      let model = string("tokenizer.ggml.model") ?? "none"
      return [row("Tokenizer", model)]
    }
    let merges = (try? MetadataReader(file).strings("tokenizer.ggml.merges"))?.map(\.count)
    var words =
      "byte-level BPE of \(merges ?? 0) merges, pre-tokenizer \(tokenizer.preTokenizer.rawValue)"
    let missing = tokenizer.missingBytes.count
    if missing > 0 { words += ", \(missing) bytes without a token" }
    let control = tokenizer.controlTokens
    let roles = [
      tokenizer.beginOfSequence.map { ($0, "begin") }, tokenizer.endOfSequence.map { ($0, "end") },
    ].compactMap(\.self)
    let shown = control.prefix(20).map { id in
      let role = roles.filter { $0.0 == id }.map { ", " + $0.1 }.joined()
      return "\(printable(tokenizer.spelling(of: id))) (\(id)\(role))"
    }
    let more = control.count > shown.count ? ", …" : ""
    return [
      row("Tokenizer", words),
      row("Control tokens", "\(control.count): \(shown.joined(separator: ", "))\(more)", 1000),
    ]
  }

  private var templateLines: [String] {
    guard let template else { return [row("Chat template", "none; run --raw still works")] }
    switch template.result {
    case .failure(let error): return [row("Chat template", "\(error)")]
    case .success(let prompt):
      let lines = prompt.split(separator: "\n", omittingEmptySubsequences: false)
      return [row("Chat template", "\(template.characters) characters; \"Hello\" becomes")]
        + lines.prefix(20).map { "    \(printable(String($0), limit: 200))" }
        + (lines.count > 20 ? ["    …"] : [])
    }
  }

  private func costLines(_ cost: RunningCost) -> [String] {
    var lines = [
      row(
        "Read for a token",
        "\(bytes(cost.weightBytes)), and \(bytes(cost.cacheBytesReadPerPosition)) for each position "
          + "before it")
    ]
    if let weights = cost.residentBytes {
      let cache = contextLength.multipliedReportingOverflow(by: cost.cacheBytesPerPosition)
      var words =
        "\(bytes(weights)) of weights, \(bytes(cache.overflow ? .max : cache.partialValue)) of keys "
        + "and values for a context of \(contextLength)"
      if let trained = shape?.contextLength, contextLength > trained {
        words += ", beyond the \(trained) that it was trained for"
      }
      lines.append(row("Memory", words))
    }
    if let speed {
      let (first, last) = speed.tokensPerSecond
      lines.append(
        row(
          "Expected here",
          "\(Int(first)) tokens a second, \(Int(last)) at the end of the context: "
            + "\(Int(100 * RunningCost.expectedShare)) % of what reading "
            + "\((speed.readBandwidth / 1e9).rounded1) GB/s allows (\(speed.threads) threads)"))
    }
    return lines
  }

  private func row(_ name: String, _ value: String, _ limit: Int = 400) -> String {
    "\(name.padded(18)) \(printable(value, limit: limit))"
  }

  private func string(_ key: String) -> String? {
    guard case .string(let text)? = file.entry(key)?.value else { return nil }
    return text
  }

  private func bytes(_ count: Int) -> String {
    switch count {
    case ..<1024: "\(count) bytes"
    case ..<(1 << 20): formatted("%.1f KiB", Double(count) / 1024)
    default: formatted("%.1f MiB", Double(count) / Double(1 << 20))
    }
  }

  private func count(_ number: Int) -> String {
    number < 1_000_000 ? "\(number)" : formatted("%.1f million", Double(number) / 1e6)
  }
}
