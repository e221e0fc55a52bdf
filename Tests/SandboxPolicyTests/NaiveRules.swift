import SandboxModel
@testable import SandboxPolicy

/// Judges by rules in the plainest way: every rule, every condition, no index.
struct NaiveRules {
    let body: ProfileBody
    /// Not nil for yes and no, nil for what cannot be told.
    typealias Answer = Bool?

    func decide(_ facts: Facts) -> (decision: Decision, rules: [String]) {
        var found: [(Decision, String)] = []
        for rule in body.rules {
            let answers = [means(rule, facts)] + rule.conditions.map { holds($0, facts) }
            if answers.contains(false) { continue }
            found.append((answers.contains(nil) ? .deny : rule.decision, rule.name))
        }
        let strictest = found.map(\.0).max() ?? .allow
        return (strictest, Decision.allCases.reversed().flatMap { d in found.filter { $0.0 == d }.map(\.1) })
    }

    private func means(_ rule: Rule, _ facts: Facts) -> Answer {
        if rule.intents.elements.contains(where: facts.intents.contains) { return true }
        return facts.unknown.contains(.intents) ? nil : false
    }

    private func holds(_ condition: Condition, _ facts: Facts) -> Answer {
        switch condition.test {
        case .paths(let patterns):
            if facts.unknown.contains(.path) { return nil }
            guard let path = facts.path else { return false }
            return patterns.contains { matches($0, path) } != condition.isNegated
        case .programs(let programs):
            if facts.unknown.contains(.program) { return nil }
            return [facts.program, condition.isNegated ? nil : facts.invoked].compactMap { $0 }.contains { name in
                programs.contains { self.program($0, name) }
            } != condition.isNegated
        case .texts(let globs):
            let fact: Facts.Set = condition.key == .args ? .arguments : .identity
            if facts.unknown.contains(fact) { return nil }
            let values =
                condition.key == .args ? (facts.arguments ?? []).dropFirst().map { $0 } : facts.identity.map { [Array($0.utf8)] } ?? []
            return values.contains { value in globs.contains { NaiveEvaluator(body: body).name($0.code[...], value[...]) } }
                != condition.isNegated
        case .targets(let targets):
            return some(facts.destinations, condition, facts.unknown.contains(.host)) { place in
                targets.contains { if case .host(let name) = $0.peer { place.names.contains(name) } else { false } }
            }
        case .tables(let patterns):
            return some(facts.tables, condition, facts.unknown.contains(.table)) { table in
                patterns.contains { condition.isNegated ? $0.matches(table) : $0.mayMatch(table) }
            }
        case .classes(let names):
            let own = body.data.enumerated().contains { i, each in
                names.contains(each.name)
                    && (facts.carries >> UInt64(i) & 1 == 1
                        || facts.path.map { path in each.files.contains { $0.value.contains { matches($0, path) } } } ?? false
                        || facts.tables.contains { table in each.tables.contains { $0.value.mayMatch(table) } })
            }
            return own || !facts.unknown.contains(.carries) ? own != condition.isNegated : nil
        default: return nil
        }
    }

    private func some<Object>(_ all: [Object], _ condition: Condition, _ unknown: Bool, _ matches: (Object) -> Bool) -> Answer {
        if all.contains(where: { matches($0) != condition.isNegated }) { return true }
        if unknown { return nil }
        return condition.isNegated && all.isEmpty
    }

    private func matches(_ pattern: PathPattern, _ path: [UInt8]) -> Bool {
        NaiveEvaluator(body: body).matches(pattern.components[...], path.split(separator: UInt8(ascii: "/")).map { Array($0) }[...])
    }

    private func program(_ pattern: ProgramPattern, _ path: [UInt8]) -> Bool {
        switch pattern {
        case .path(let patterns): patterns.contains { matches($0, path) }
        case .name(let glob): NaiveEvaluator(body: body).name(glob.code[...], (path.split(separator: UInt8(ascii: "/")).last ?? []))
        }
    }
}
