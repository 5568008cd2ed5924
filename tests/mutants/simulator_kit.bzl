"""What it takes to build a program again with some of its sources changed, without Bazel."""

CommandsInfo = provider(
    "The C++ commands that build a target and all that it depends on.",
    fields = {
        "compiles": "depset of files, each one compilation: a shell word a line",
        "links": "list of struct(argv, inputs), of this target alone",
    },
)

def _commands_aspect_impl(target, ctx):
    compiles = []
    links = []
    for action in target.actions:
        if action.mnemonic == "CppCompile":
            # Bazel 4 shows a compilation's arguments to nobody but a file.
            words = ctx.actions.declare_file("%s.%d.compile" % (ctx.label.name, len(compiles)))
            ctx.actions.write(words, action.args[0])
            compiles.append(words)
        elif action.mnemonic == "CppLink" and action.argv != None:
            links.append(struct(argv = action.argv, inputs = action.inputs))
    return [CommandsInfo(
        compiles = depset(compiles, transitive = [
            dep[CommandsInfo].compiles
            for dep in getattr(ctx.rule.attr, "deps", [])
            if CommandsInfo in dep
        ]),
        links = links,
    )]

_commands_aspect = aspect(
    implementation = _commands_aspect_impl,
    attr_aspects = ["deps"],
)

def _simulator_kit_impl(ctx):
    commands = ctx.attr.program[CommandsInfo]
    program = ctx.executable.program
    links = [link for link in commands.links if program.path in link.argv]
    if len(links) != 1:
        fail("expected one command that links %s, not %d" % (program.path, len(links)))
    compiles = commands.compiles.to_list()
    kit = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.write(kit, struct(
        bin_directory = ctx.bin_dir.path,
        compiles = [file.short_path for file in compiles],
        link = links[0].argv,
        program = program.path,
    ).to_json())
    objects = [file for file in links[0].inputs.to_list() if file.extension == "o"]
    files = [kit, program] + compiles + objects
    return [DefaultInfo(
        files = depset([kit]),
        runfiles = ctx.runfiles(files = files),
    )]

simulator_kit = rule(
    doc = "A JSON file with the commands that built `program`; as data, with all its objects.",
    implementation = _simulator_kit_impl,
    attrs = {
        "program": attr.label(
            doc = "A cc_binary.",
            aspects = [_commands_aspect],
            cfg = "target",
            executable = True,
            mandatory = True,
        ),
    },
)
