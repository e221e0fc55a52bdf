internal import SandboxModel
internal import SandboxYAML

/// Trees → catalogue. Goes on after an error, so that all of them are told at once.
struct CatalogueBuilder {
    private(set) var found: [Diagnostic] = []
    private(set) var examples: [CatalogueExample] = []
    private(set) var entries: [(name: String, file: String, meanings: [(intents: [String], when: String)])] = []
    private(set) var names: [[UInt8]: [Catalogue.Program]] = [:]
    private(set) var globs: [(glob: ByteGlob, program: Catalogue.Program)] = []
    private(set) var places: [(glob: ByteGlob, program: Catalogue.Program)] = []
    private var file = ""

    mutating func read(_ bytes: [UInt8], file: String) {
        self.file = file
        var sink = DiagnosticSink(file: file)
        if let root = YAMLTree.parse(bytes, &sink), let fields = sink.fields(of: root, "a catalogue", known: ["version", "programs"]) {
            if fields["version"].flatMap({ sink.text($0, "version") }) != "1" {
                sink.error("`version` is not 1", at: fields["version"]?.position ?? root.position, help: "begin with `version: 1`")
            }
            for (key, value) in fields["programs"].flatMap({ sink.pairs(of: $0, "programs") }) ?? [] {
                let names = LevelReader.split(key.text)
                guard let name = names.first else {
                    sink.error("a program without a name", at: key.position)
                    continue
                }
                var reader = LevelReader(sink: sink, file: file)
                let program = reader.program(value, name)
                sink = reader.sink
                add(program, names, isReplaced: reader.isReplaced)
                examples += reader.examples
                entries += reader.entries
            }
        }
        found += sink.found
    }

    private mutating func add(_ program: Catalogue.Program, _ names: [String], isReplaced: Bool) {
        var program = program
        program.replaces = isReplaced
        for name in names {
            let bytes = Array(name.utf8)
            if bytes.contains(UInt8(ascii: "/")) {
                places.append((LevelReader.glob(name), program))
            } else if bytes.contains(UInt8(ascii: "*")) || bytes.contains(UInt8(ascii: "?")) {
                globs.append((LevelReader.glob(name), program))
            } else {
                self.names[bytes] = isReplaced ? [program] : (self.names[bytes] ?? []) + [program]
            }
        }
    }
}
