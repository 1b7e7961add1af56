import Swiftlet

@Generable(description: "An order at a café")
struct Order {
  @Guide(description: "What is ordered", .count(1...3))
  var items: [Item]
  @Guide(description: "The table's number", .range(1...40))
  var table: Int
  var isTakeaway: Bool
}

@Generable
struct Item {
  @Guide(.minimumLength(3), .maximumLength(24))
  var name: String
  @Guide(.range(1...9))
  var count: Int
  var size: Size
}

@Generable
enum Size { case small, medium, large }

/// Makes a struct of a text: whatever the model thinks, the value is valid. usage: Extraction [MODEL]
@main
struct Extraction {
  static func main() async throws {
    let name = CommandLine.arguments.dropFirst().first ?? "smollm2-135m"
    let model = try await LanguageModel.load(name)
    let text = "Two large cappuccinos and a small espresso for table 7, please!"

    let session = LanguageModelSession(model: model, instructions: "Extract the order.")
    let options = GenerationOptions(sampling: .greedy, maximumResponseTokens: 150)
    let order = try await session.respond(to: text, generating: Order.self, options: options)
      .content
    for item in order.items { print(item.count, item.size, item.name) }
    print("table \(order.table), \(order.isTakeaway ? "takeaway" : "here")")

    let mood = try await model.classify(text, as: ["friendly", "angry"])
    print("mood: \(mood.text)")
  }
}
