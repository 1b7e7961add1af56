import CLibFuzzer
import GGUF
import Tokenization

/// A tokenizer of any file that has one gives ids of its own vocabulary, whatever the text.
private func fuzzTokenizer(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeBufferPointer(start: start, count: count)
  guard let file = try? GGUFFile(contents: bytes, name: "fuzz"),
    let tokenizer = try? Tokenizer(file)
  else { return 0 }
  let ids = 0..<tokenizer.vocabularySize
  // The file's own bytes are the text as well: they hold its tokens.
  let text = String(decoding: bytes.suffix(2048), as: UTF8.self)
  for mode in [Tokenizer.ControlTokens.asText, .parsed] {
    let encoded = tokenizer.encode(text, controlTokens: mode)
    precondition(encoded.allSatisfy(ids.contains), "an id beyond the vocabulary")
    precondition(encoded.count <= text.utf8.count, "more tokens than bytes")
    if mode == .asText {
      precondition(!encoded.contains(where: tokenizer.isControlToken), "text became control")
    }
    let whole = tokenizer.decode(encoded)
    var decoder = StreamDecoder(tokenizer)
    var streamed = encoded.map { decoder.append($0) }.joined()
    streamed += decoder.finish()
    precondition(streamed == whole, "the stream differs")
  }
  for id in [-1, 0, ids.upperBound / 2, ids.upperBound] {
    _ = tokenizer.spelling(of: id)
    _ = tokenizer.bytes(of: id)
  }
  precondition(tokenizer.endOfGeneration.allSatisfy(ids.contains))
  precondition(tokenizer.controlTokens.allSatisfy(ids.contains))
  _ = Tokenizer.oddities(file)
  return 0
}

var argumentCount = CommandLine.argc
var arguments = Optional(CommandLine.unsafeArgv)
_ = LLVMFuzzerRunDriver(&argumentCount, &arguments, fuzzTokenizer)
