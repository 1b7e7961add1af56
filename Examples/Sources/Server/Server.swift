import Foundation
import Hummingbird
import Swiftlet

/// Answers over HTTP; requests that come together are computed together. usage: Server [MODEL [PORT]]
///
///     curl -N localhost:8080/generate -d '{"prompt": "What is the capital of France?"}'
///     curl localhost:8080/classify -d '{"text": "I love it!", "labels": ["good", "bad"]}'
@main
struct Server {
  struct Question: Decodable {
    var prompt: String
    var instructions: String?
    var maximumResponseTokens: Int?
  }

  struct Classification: Decodable {
    var text: String
    var labels: [String]
  }

  struct Label: ResponseEncodable {
    var label: String
  }

  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    let name = arguments.first ?? "smollm2-135m"
    let port = arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
    let model = try await LanguageModel.load(name)

    let router = Router()
    router.post("generate") { request, _ -> Response in
      let question = try await read(Question.self, from: request)
      let session = LanguageModelSession(model: model, instructions: question.instructions)
      let options = GenerationOptions(
        sampling: .greedy, maximumResponseTokens: question.maximumResponseTokens ?? 200)
      // The text as it is made. A client that goes away ends the loop, which ends the work.
      let body = ResponseBody { writer in
        for try await snapshot in session.streamResponse(to: question.prompt, options: options) {
          try await writer.write(ByteBuffer(string: snapshot.delta))
        }
        try await writer.finish(nil)
      }
      return Response(
        status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: body)
    }
    router.post("classify") { request, _ -> Label in
      let question = try await read(Classification.self, from: request)
      return Label(label: try await model.classify(question.text, as: question.labels).text)
    }

    let address = ApplicationConfiguration(address: .hostname("127.0.0.1", port: port))
    try await Application(router: router, configuration: address).runService()
  }

  /// JSON, whatever the client calls it.
  static func read<T: Decodable>(_ type: T.Type, from request: Request) async throws -> T {
    let body = try await request.body.collect(upTo: 1 << 20)
    do {
      return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
    } catch { throw HTTPError(.badRequest, message: "not the JSON that is expected: \(error)") }
  }
}
