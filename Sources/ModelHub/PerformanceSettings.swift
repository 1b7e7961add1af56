/// How a model is to be run, under the names that users of the provider know.
public struct PerformanceSettings: Codable, Equatable, Sendable {
  /// Threads that compute, 1 and more; no more are used than there are cores.
  public var threads: Int
  /// Layers to put on a GPU. This engine runs on the CPU: a value above 0 is answered with a warning.
  public var gpuLayers: Int
  /// Prompt tokens computed together, 1 and more.
  public var batchSize: Int

  /// Threads that are allowed.
  public static let threadRange = 1...256
  /// Batch sizes that are allowed.
  public static let batchRange = 1...65_536

  /// Settings; `gpuLayers` is read and not used.
  public init(threads: Int = 4, gpuLayers: Int = 0, batchSize: Int = 512) {
    self.threads = threads
    self.gpuLayers = gpuLayers
    self.batchSize = batchSize
  }

  /// What a user should be told of these settings; nil where all of them take effect.
  public var warning: String? {
    gpuLayers > 0 ? "gpuLayers \(gpuLayers) has no effect: this engine runs on the CPU" : nil
  }
}
