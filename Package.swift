// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    // The checks for overlapping access run in every test; in what is released they are a tenth of a judged call.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    // Types such as `[String: Int]` are made by calls that the compiler knows, not looked up by name when the program starts.
    .unsafeFlags(["-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors"], .when(configuration: .release)),
]
/// The pure core holds no unsafe code at all, and the compiler says so.
let pure = strict + [.strictMemorySafety()]

let package = Package(
    name: "sandbox",
    products: [
        .executable(name: "sandbox", targets: ["sandbox"]),
        .executable(name: "sandbox-identity", targets: ["sandbox-identity"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.0.0"),
    ],
    targets: [
        .systemLibrary(name: "CSQLite", path: "CShims/sqlite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CYAML", path: "CShims/yaml", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CCurl", path: "CShims/curl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CPgQuery", path: "CShims/pgquery", providers: [.apt(["libpg-query-dev"])]),
        .target(
            name: "CShims", path: "CShims/kernel", cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        .target(name: "SandboxModel", swiftSettings: pure),
        .target(name: "SandboxDecode", dependencies: ["SandboxModel"], swiftSettings: pure),
        .target(name: "SandboxYAML", dependencies: ["CYAML"], swiftSettings: strict),
        .target(name: "SandboxFiles", swiftSettings: strict),
        .target(name: "SandboxSQLParser", dependencies: ["CPgQuery"], swiftSettings: strict),
        .target(name: "SandboxIntent", dependencies: ["SandboxModel", "SandboxSQLParser", "SandboxYAML"], swiftSettings: pure),
        .target(name: "SandboxPolicy", dependencies: ["SandboxModel", "SandboxYAML"], swiftSettings: pure),
        .target(name: "SandboxLineage", dependencies: ["SandboxModel"], swiftSettings: pure),
        .target(
            name: "SandboxStore", dependencies: ["SandboxModel", "SandboxFiles", "SandboxLineage", "CSQLite", "CShims"],
            swiftSettings: strict),
        .target(name: "SandboxKernel", dependencies: ["SandboxModel", "SandboxDecode", "SandboxFiles", "CShims"], swiftSettings: strict),
        .target(
            name: "SandboxSupervisor",
            dependencies: [
                "SandboxModel", "SandboxDecode", "SandboxFiles", "SandboxIntent", "SandboxLineage", "SandboxPolicy", "SandboxStore",
                "SandboxKernel",
                "CShims",
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "sandbox",
            dependencies: [
                "SandboxModel", "SandboxIntent", "SandboxLineage", "SandboxPolicy", "SandboxStore", "SandboxSupervisor", "SandboxYAML",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "sandbox-identity",
            dependencies: [
                "CShims", "SandboxModel", "SandboxFiles", "SandboxYAML", "CCurl",
                .product(name: "JWTKit", package: "jwt-kit"), .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "guest", path: "Tests/Guests",
            cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Wno-unused-result", "-pthread"])],
            // C alone: without Swift's start-up code, whose handlers a guest must not have
            linkerSettings: [.unsafeFlags(["-nostartfiles", "-static-stdlib"])]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "SandboxModel", "SandboxDecode", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            exclude: ["Tools"], swiftSettings: strict),
        .testTarget(name: "SandboxDecodeTests", dependencies: ["SandboxModel", "SandboxDecode"], swiftSettings: strict),
        .testTarget(
            name: "SandboxIntentTests", dependencies: ["SandboxModel", "SandboxIntent", "SandboxSQLParser", "SandboxYAML"],
            exclude: ["command-lines.txt"], swiftSettings: strict),
        .testTarget(
            name: "SandboxKernelTests", dependencies: ["SandboxModel", "SandboxDecode", "SandboxKernel", "CShims"], swiftSettings: strict),
        .testTarget(name: "SandboxLineageTests", dependencies: ["SandboxModel", "SandboxLineage"], swiftSettings: strict),
        .testTarget(name: "SandboxPolicyTests", dependencies: ["SandboxPolicy", "SandboxYAML"], swiftSettings: strict),
        .testTarget(
            name: "SandboxStoreTests", dependencies: ["SandboxModel", "SandboxFiles", "SandboxLineage", "SandboxStore"],
            exclude: ["Schemas", "arguments.txt"],
            swiftSettings: strict),
    ]
)
