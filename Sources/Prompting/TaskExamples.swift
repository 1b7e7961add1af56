/// A text and what was made of it, for the model to imitate.
struct TaskExample {
  let text: String
  let result: String
}

extension TextTask {
  var examples: [TaskExample] {
    switch self {
    case .translate(let language):
      zip(Self.sentences, Self.translations[language.lowercased()] ?? [])
        .map { TaskExample(text: $0, result: $1) }
    case .summarize: []
    case .title:
      [
        TaskExample(text: Self.mountains, result: "Why Water Boils Sooner on Mountains"),
        TaskExample(text: Self.trees, result: "Town to Plant 200 Trees Along the River"),
      ]
    case .rewrite(let style): [style.example]
    case .suggestions:
      [
        TaskExample(
          text: Self.mountains,
          result: """
            1. Why is the air pressure lower on mountains?
            2. At which temperature does water boil on Mount Everest?
            3. How much longer do potatoes take?
            """),
        TaskExample(
          text: Self.trees,
          result: """
            1. Who pays for the trees?
            2. Which kinds of trees will be planted?
            3. When will the work be done?
            """),
      ]
    }
  }

  private static let mountains =
    "Water boils at a lower temperature on high mountains because the air pressure is lower there. "
    + "Cooks who live high up have to boil their potatoes for longer."
  private static let trees =
    "The town council met on Monday and decided to plant two hundred trees along the river. The work "
    + "starts in spring and will cost forty thousand euros."

  private static let sentences = [
    "The dog is big.", "I would like a glass of water, please.",
    "She lives in a small house near the sea.",
  ]

  /// `sentences`, by language.
  private static let translations = [
    "french": [
      "Le chien est grand.", "Je voudrais un verre d'eau, s'il vous plaît.",
      "Elle vit dans une petite maison près de la mer.",
    ],
    "german": [
      "Der Hund ist groß.", "Ich hätte gern ein Glas Wasser, bitte.",
      "Sie wohnt in einem kleinen Haus am Meer.",
    ],
    "italian": [
      "Il cane è grande.", "Vorrei un bicchiere d'acqua, per favore.",
      "Vive in una piccola casa vicino al mare.",
    ],
    "portuguese": [
      "O cão é grande.", "Eu gostaria de um copo de água, por favor.",
      "Ela mora em uma pequena casa perto do mar.",
    ],
    "spanish": [
      "El perro es grande.", "Quisiera un vaso de agua, por favor.",
      "Ella vive en una casa pequeña cerca del mar.",
    ],
  ]
}

extension TextTask.RewriteStyle {
  fileprivate var example: TaskExample {
    switch self {
    case .concise:
      TaskExample(
        text:
          "Due to the fact that it was raining very heavily, we made the decision to stay at home.",
        result: "It rained hard, so we stayed at home.")
    case .friendly:
      TaskExample(
        text: "Send the report by Friday.",
        result: "Could you please send me the report by Friday? Thank you so much!")
    case .professional:
      TaskExample(
        text: "i need the report by friday, dont be late",
        result: "I would be grateful if you could send me the report by Friday.")
    }
  }
}
