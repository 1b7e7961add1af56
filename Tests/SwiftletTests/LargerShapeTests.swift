import Foundation
import Swiftlet
import TestSupport
import Testing

/// The 360M model's shape with random weights, whose file llama.cpp runs as well.
@Suite(.enabled(if: RealModel.isPresent))
struct LargerShapeTests {
  private struct Golden: Decodable {
    let tokens: [Int]
    let rows: [Int]
    let step: Int
    let llamaCppError: Double
    let logits: [[Float]]
  }

  @Test("360M's shape: native logits nearer to exact ones than llama.cpp's, OpenBLAS's at float32")
  func logits() throws {
    let golden = try Fixtures.decode(Golden.self, "shape-360m.json")
    for path in [MatmulPath.native, .openblas] {
      var options = LoadingOptions()
      options.matmulPath = path
      options.threads = 2
      let model = try LanguageModel(path: RealModel.shape360M, options: options).model
      let cache = try model.makeCache(capacity: golden.tokens.count)
      var ours: [Float] = []
      ForwardPass(model, batchSize: 512)(golden.tokens, cache: cache, wanted: .all) {
        row, logits in
        guard golden.rows.contains(row) else { return }
        ours += stride(from: 0, to: logits.count, by: golden.step).map { logits[$0] }
      }
      let error = normalizedError(ours, golden.logits.flatMap { $0 })
      #expect(error < (path == .native ? golden.llamaCppError : 1e-9), "\(path): \(error)")
    }
  }
}
