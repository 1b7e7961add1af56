import Foundation

/// The built `swiftlet`, run as a user would.
public enum BuiltCommand {
  public struct Result: Sendable {
    public let status: Int32
    public let output: String
    public let errors: String
  }

  /// Beside the test bundle.
  public static let path: String = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return bundle.appendingPathComponent("swiftlet").path
  }()

  /// - Parameter environment: the whole of it; nil is this process's.
  public static func run(
    _ arguments: [String], input: String = "", environment: [String: String]? = nil
  ) throws -> Result {
    try runProgram(path, arguments, input: input, environment: environment)
  }

  /// Runs any program to its end.
  public static func runProgram(
    _ program: String, _ arguments: [String], input: String = "",
    environment: [String: String]? = nil
  ) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = environment
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stderr
    try process.run()
    stdin.fileHandleForWriting.write(Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    let errors = stderr.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
      errors: String(decoding: errors, as: UTF8.self))
  }

  /// Starts the command and returns at once.
  ///
  /// - Parameter errors: gets what is written to standard error.
  public static func start(
    _ arguments: [String], environment: [String: String], errors: Pipe? = nil
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors ?? FileHandle.nullDevice
    try process.run()
    return process
  }
}
