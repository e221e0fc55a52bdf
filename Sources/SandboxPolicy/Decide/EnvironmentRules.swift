/// A variable of the environment, as bytes.
package struct EnvironmentVariable: Hashable, Sendable {
    package var name: [UInt8]
    package var value: [UInt8]
    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

struct EnvironmentRules: Sendable {
    var keep: [Glob]?
    var drop: [Glob] = []
    var set: [EnvironmentVariable] = []

    func passes(_ name: [UInt8]) -> Bool {
        if drop.contains(where: { $0.matches(name.span) }) { return false }
        return keep?.contains { $0.matches(name.span) } ?? true
    }
}

extension EnvironmentRules {
    /// What is kept and not dropped, then what the profile sets.
    func applied(to given: [EnvironmentVariable]) -> [EnvironmentVariable] {
        let names = Set(set.map(\.name))
        return given.filter { !names.contains($0.name) && passes($0.name) } + set
    }
}

extension Policy {
    /// The environment a session starts with.
    package func environment(from given: [EnvironmentVariable]) -> [EnvironmentVariable] { variables.applied(to: given) }
}

extension ResolvedProfile {
    /// The same before the profile is compiled.
    package func environment(from given: [EnvironmentVariable], _ variables: PolicyVariables) -> [EnvironmentVariable] {
        var compiler = PolicyCompiler(variables)
        compiler.setEnvironment(body.environment)
        return compiler.environment.applied(to: given)
    }
}
