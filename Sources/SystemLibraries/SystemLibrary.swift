#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A shared library of the system that is loaded when it is first needed: programs that never need it
/// start without it.
public struct SystemLibrary: @unchecked Sendable {
  // @unchecked Sendable: a constant, and the library stays loaded.
  private let handle: UnsafeMutableRawPointer

  /// Loads the first of `names` that there is; nil where there is none.
  public init?(_ names: String...) {
    guard let handle = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first else {
      return nil
    }
    self.handle = handle
  }

  /// The function called `name`; nil where the library has none.
  ///
  /// - Parameter type: its type in C, `@convention(c)`; not checked.
  public func function<Function>(_ name: String, as type: Function.Type = Function.self)
    -> Function?
  {
    dlsym(handle, name).map { unsafeBitCast($0, to: type) }
  }
}
