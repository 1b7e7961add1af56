/// The bytes of a file, from a mapping or from memory, kept alive by whoever holds this.
package final class MappedBytes: Sendable {
  package let name: String
  /// Length of the whole file, which is more than `bytes` hold where only its beginning was read.
  package let fileByteCount: Int
  // Safe to share: read-only from init to deinit.
  package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  private let file: MappedFile?

  package init(path: String) throws(GGUFError) {
    let file = try MappedFile(path: path)
    self.file = file
    name = path
    bytes = file.bytes
    fileByteCount = bytes.count
  }

  /// A copy of `contents`.
  ///
  /// - Parameter fileByteCount: nil where the contents are the whole file.
  package init(contents: some Collection<UInt8>, name: String, fileByteCount: Int? = nil) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 64)
    copy.copyBytes(from: contents)
    file = nil
    self.name = name
    bytes = UnsafeRawBufferPointer(copy)
    self.fileByteCount = max(fileByteCount ?? 0, copy.count)
  }

  deinit { if file == nil { UnsafeMutableRawBufferPointer(mutating: bytes).deallocate() } }

  package func readAhead(_ range: Range<Int>, until isEnough: () -> Bool) {
    file?.readAhead(range, until: isEnough)
  }

  package func isDone(with range: Range<Int>) { file?.isDone(with: range) }
}
