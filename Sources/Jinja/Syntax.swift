/// An expression of a template.
///
/// What can be chained without end (operators, accesses) is a list rather than a tree, so that a tree is
/// no deeper than parentheses are nested.
indirect enum Expression: Sendable {
  case literal(Value)
  case variable(String, line: Int)
  case list([Expression])
  case tuple([Expression])
  case dictionary([(key: Expression, value: Expression)])
  case access(Expression, [Access])
  case unary(UnaryOperator, Expression)
  /// `a + b - c`, from left to right.
  case chain(Expression, [(operation: BinaryOperator, operand: Expression)], line: Int)
  /// `a < b <= c`: all of them hold.
  case comparison(Expression, [(operation: Comparison, operand: Expression)], line: Int)
  case and([Expression])
  case or([Expression])
  case conditional(condition: Expression, then: Expression, otherwise: Expression?)
}

/// What is done to a value, written behind it.
enum Access: Sendable {
  case attribute(String, line: Int)
  case item(Expression, line: Int)
  case slice(Slice, line: Int)
  case call(Arguments, line: Int)
  case filter(String, Arguments, line: Int)
  case test(String, Arguments, isNegated: Bool, line: Int)
}

struct Slice: Sendable {
  var start: Expression?
  var stop: Expression?
  var step: Expression?
}

enum UnaryOperator: Sendable { case not, minus, plus }

enum BinaryOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case remainder = "%"
  case power = "**"
  case concatenate = "~"
}

enum Comparison: String, Sendable {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case `in`
  case notIn
}

struct Arguments: Sendable {
  var positional: [Expression] = []
  var named: [(name: String, value: Expression)] = []
  /// `*list`
  var spread: Expression?
  /// `**dict`
  var namedSpread: Expression?
}

/// What an assignment gives a value to.
indirect enum Target: Sendable {
  case name(String)
  /// `namespace.attribute`
  case attribute(String, String)
  case tuple([Target])
}

/// A statement of a template.
indirect enum Statement: Sendable {
  case text(Text)
  case output(Expression)
  case conditional([(condition: Expression, body: [Statement])], otherwise: [Statement])
  case loop(Loop)
  case set(Target, Expression)
  case setBlock(Target, filter: Filtering?, body: [Statement])
  case macro(Macro)
  case callBlock(Expression, caller: Macro)
  case filterBlock(Filtering, body: [Statement])
  case with([(target: Target, value: Expression)], body: [Statement])
  case scope([Statement])
  case `break`
  case `continue`
}

struct Loop: Sendable {
  let target: Target
  let items: Expression
  let condition: Expression?
  let isRecursive: Bool
  let body: [Statement]
  let otherwise: [Statement]
  let line: Int
}

struct Macro: Sendable {
  let name: String
  let parameters: [(name: String, value: Expression?)]
  let body: [Statement]
  /// Whether it uses `varargs` and `kwargs`: others take no arguments beyond their parameters.
  let takesMore: Bool
  let takesNamed: Bool
}

/// Filters that are applied to text, one after another.
struct Filtering: Sendable {
  let filters: [(name: String, arguments: Arguments)]
  let line: Int
}
