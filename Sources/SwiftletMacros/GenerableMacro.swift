import SwiftDiagnostics
import SwiftSyntax
import SwiftSyntaxBuilder
import SwiftSyntaxMacros

/// `@Generable`: a schema of a type's stored properties or cases, and the ways from and to generated content.
struct GenerableMacro: ExtensionMacro {
  static func expansion(
    of node: AttributeSyntax, attachedTo declaration: some DeclGroupSyntax,
    providingExtensionsOf type: some TypeSyntaxProtocol, conformingTo protocols: [TypeSyntax],
    in context: some MacroExpansionContext
  ) throws -> [ExtensionDeclSyntax] {
    let access = declaration.modifiers.first { modifier in
      ["public", "package"].contains(modifier.name.text)
    }.map { "\($0.name.text) " }
    let writer = MemberWriter(
      type: type.trimmedDescription, access: access ?? "", description: node.guideDescription)
    let members: String
    if let type = declaration.as(StructDeclSyntax.self) {
      members = writer.members(of: try type.memberBlock.members.flatMap(StoredProperty.all))
    } else if let type = declaration.as(EnumDeclSyntax.self) {
      members = writer.members(of: try type.memberBlock.members.flatMap(EnumCase.all))
    } else {
      throw Refusal.message("@Generable is for structs and enums", at: node)
    }
    return [
      try ExtensionDeclSyntax("extension \(type.trimmed): Swiftlet.Generable {\n\(raw: members)\n}")
    ]
  }
}

/// What a macro has against its use.
struct Refusal: DiagnosticMessage {
  let message: String
  var diagnosticID: MessageID { MessageID(domain: "Swiftlet", id: "Generable") }
  var severity: DiagnosticSeverity { .error }

  static func message(_ text: String, at node: some SyntaxProtocol) -> DiagnosticsError {
    DiagnosticsError(diagnostics: [Diagnostic(node: node, message: Refusal(message: text))])
  }
}

/// A property that a value is made of.
struct StoredProperty {
  let name: String
  let type: String
  /// Swift text of `@Guide`'s description; nil without one.
  let description: String?
  /// Swift texts of `@Guide`'s guides.
  let guides: [String]

  static func all(of member: MemberBlockItemSyntax) throws -> [StoredProperty] {
    guard let variable = member.decl.as(VariableDeclSyntax.self),
      !variable.modifiers.contains(where: { ["static", "class", "lazy"].contains($0.name.text) })
    else { return [] }
    return try variable.bindings.compactMap { binding in
      if case .accessors(let list)? = binding.accessorBlock?.accessors {
        let observers: Set<String> = ["willSet", "didSet"]
        if !list.allSatisfy({ observers.contains($0.accessorSpecifier.text) }) { return nil }
      } else if binding.accessorBlock != nil {
        return nil
      }
      // A constant that has its value is not generated.
      if variable.bindingSpecifier.text == "let", binding.initializer != nil { return nil }
      guard let name = binding.pattern.as(IdentifierPatternSyntax.self)?.identifier.text,
        let type = binding.typeAnnotation?.type.trimmedDescription
      else {
        throw Refusal.message("@Generable needs to see the type of each property", at: binding)
      }
      let guide = variable.attributes.lazy.compactMap { $0.as(AttributeSyntax.self) }
        .first { $0.attributeName.trimmedDescription.split(separator: ".").last == "Guide" }
      return StoredProperty(
        name: name.trimmingBackticks, type: type, description: guide?.guideDescription,
        guides: guide?.unlabeledArguments ?? [])
    }
  }
}

/// A case of an enum.
struct EnumCase {
  struct Value {
    let label: String?
    let type: String
  }

  let name: String
  /// Swift text of what stands for the case: its raw value where that is a text, or its name.
  let rawText: String
  let values: [Value]

  static func all(of member: MemberBlockItemSyntax) throws -> [EnumCase] {
    guard let declaration = member.decl.as(EnumCaseDeclSyntax.self) else { return [] }
    return declaration.elements.map { element in
      let name = element.name.text.trimmingBackticks
      let raw = element.rawValue?.value.as(StringLiteralExprSyntax.self)?.trimmedDescription
      return EnumCase(
        name: name, rawText: raw ?? "\"\(name)\"",
        values: (element.parameterClause?.parameters ?? []).map { parameter in
          let label = parameter.firstName?.text
          return Value(
            label: label == "_" ? nil : label, type: parameter.type.trimmedDescription)
        })
    }
  }
}

extension AttributeSyntax {
  /// The text of the argument `description:`.
  var guideDescription: String? {
    argumentList.first { $0.label?.text == "description" }?.expression.trimmedDescription
  }

  /// The texts of the arguments without a label.
  var unlabeledArguments: [String] {
    argumentList.filter { $0.label == nil }.map(\.expression.trimmedDescription)
  }

  private var argumentList: [LabeledExprSyntax] {
    if case .argumentList(let list)? = arguments { Array(list) } else { [] }
  }
}

extension String {
  var trimmingBackticks: String { hasPrefix("`") ? String(dropFirst().dropLast()) : self }
}
