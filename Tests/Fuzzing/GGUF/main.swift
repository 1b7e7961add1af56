import CLibFuzzer
import Compute
import GGUF
import Llama

/// Any bytes are refused or are a file of which everything lies inside it.
private func fuzzGGUF(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = UnsafeBufferPointer(start: start, count: count)
  guard let file = try? GGUFFile(contents: bytes, name: "fuzz") else { return 0 }
  for entry in file.entries {
    precondition(entry.offset <= count)
    if case .array(let array) = entry.value { read(array) }
  }
  for tensor in file.tensors {
    let range = file.byteRange(of: tensor)
    precondition(range.upperBound <= count && range.count == tensor.byteCount)
    file.withBytes(of: tensor) { precondition($0.count == tensor.byteCount) }
  }
  writeAgain(file, bytes)
  if let shape = try? Hyperparameters(file) {
    _ = LlamaModel.tensorFaults(file, shape)
    _ = LlamaModel.unusedTensors(file, shape)
  }
  for tensor in file.tensors { _ = BlockScales.fault(tensor, in: file) }
  return 0
}

private func read(_ array: MetadataArray) {
  var seen = 0
  array.forEachString { index, text in
    precondition(index == seen)
    seen += 1
  }
  precondition(seen == (array.elementType == .string ? array.count : 0))
  _ = array.integers()
  _ = array.string(at: array.count)
}

/// What is read and written again is the same file, of which the header is written last.
private func writeAgain(_ file: GGUFFile, _ bytes: UnsafeBufferPointer<UInt8>) {
  var writer = GGUFWriter(metadataOf: file)
  for tensor in file.tensors {
    do {
      try writer.addTensor(tensor.name, dimensions: tensor.dimensions, type: tensor.type)
    } catch { fatalError("\(tensor.name) was read and cannot be written: \(error)") }
  }
  guard file.version == 3 else { return }
  let header = writer.header()
  precondition(header.count == file.dataOffset)
  for (place, byte) in header.enumerated() where byte != bytes[place] {
    // Padding may hold anything, and so may the unused parts of a bool.
    precondition(place >= header.count - file.alignment, "byte \(place)")
  }
}

var argumentCount = CommandLine.argc
var arguments = Optional(CommandLine.unsafeArgv)
_ = LLVMFuzzerRunDriver(&argumentCount, &arguments, fuzzGGUF)
