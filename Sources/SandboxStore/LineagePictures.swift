internal import SandboxLineage
internal import SandboxModel

/// The graph as text that drawing programs take.
package enum LineagePictures {
    /// Graphviz.
    package static func dot(_ graph: LineageGraph) -> String {
        var text = "digraph lineage {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n"
        for node in graph.nodes {
            let shape = if case .process = node { "box" } else { "ellipse" }
            text += "  \(LineageGraph.identifier(node)) [shape=\(shape),label=\(quoted(graph.label(node)))];\n"
        }
        for flow in graph.flows {
            text += "  \(LineageGraph.identifier(flow.from)) -> \(LineageGraph.identifier(flow.to)) "
            text += "[label=\(quoted(Array(flow.words.joined(separator: " ").utf8)))];\n"
        }
        return text + "}\n"
    }

    /// A backslash begins a sequence of Graphviz's own (`\n`, `\l`, `\N`).
    private static func quoted(_ bytes: [UInt8]) -> String {
        var text = "\""
        for scalar in Escaped.text(bytes).unicodeScalars {
            if scalar == "\"" || scalar == "\\" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return text + "\""
    }

    /// Mermaid's flowchart.
    package static func mermaid(_ graph: LineageGraph) -> String {
        var text = "flowchart LR\n"
        for node in graph.nodes {
            let (open, close) = if case .process = node { ("[", "]") } else { ("([", "])") }
            text += "  \(LineageGraph.identifier(node))\(open)\"\(entities(graph.label(node)))\"\(close)\n"
        }
        for flow in graph.flows {
            text +=
                "  \(LineageGraph.identifier(flow.from)) -->|\(flow.words.joined(separator: " "))| \(LineageGraph.identifier(flow.to))\n"
        }
        return text
    }

    /// Mermaid has no escape but the entity, written `#35;`; a label is HTML and may be Markdown.
    private static func entities(_ bytes: [UInt8]) -> String {
        var text = ""
        for scalar in Escaped.text(bytes).unicodeScalars {
            if "\"#&<>\\`*_~;%{}|".unicodeScalars.contains(scalar) {
                text += "#\(scalar.value);"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
