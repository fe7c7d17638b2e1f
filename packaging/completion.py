# SPDX-License-Identifier: Apache-2.0
"""Writes what bash completes for a program, from what the program says of
itself: its table of commands and options, so that they cannot disagree.

usage: completion.py PROGRAM NAME OUTPUT
"""
import os
import re
import subprocess
import sys

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9.-]*[a-z0-9]")
# Rows of `dialtone --help`: a noun, in its column a verb or nothing, what it
# does.
VERB_AT = 20
COMMAND = re.compile(r"  (?P<noun>[a-z-]+) +")
COMMANDS_BEGIN = "\ncommands:\n"

# Nobody is asked anything: there is no registrar behind these.
NOBODY = {"DIALTONE_URL": "http://127.0.0.1:1",
          "DIALTONE_SOCKET": "/nonexistent"}

HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# bash completion of {name}; made from what `{name} --help` says.
"""

PLAIN = HEAD + """\
{function}() {{
	local options="{options}"
	if [[ ${{COMP_WORDS[COMP_CWORD]}} == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- \\
			"${{COMP_WORDS[COMP_CWORD]}}")
	fi
}}
complete -o bashdefault -o default -F {function} {name}
"""

COMMANDS = HEAD + """\
{function}() {{
	local -A verbs=(
{verbs}
	)
	local -A options=(
{options}
	)
	local current=${{COMP_WORDS[COMP_CWORD]}} noun='' verb='' words='' i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${{COMP_WORDS[i]}} in
		--url | --socket) [[ $noun ]] || ((i++)) ;;
		-*) ;;
		*)
			if [[ ! $noun ]]; then
				noun=${{COMP_WORDS[i]}}
			elif [[ ! $verb && " ${{verbs[$noun]-}} " == \\
				*" ${{COMP_WORDS[i]}} "* ]]; then
				verb=${{COMP_WORDS[i]}}
			else
				words=1
			fi
			;;
		esac
	done
	if [[ $current == -* ]]; then
		words=${{options[${{noun:-{name}}}${{verb:+ $verb}}]-}}
	elif [[ ! $noun ]]; then
		words=${{!verbs[*]}}
	elif [[ ! $verb && ! $words ]]; then
		words=${{verbs[$noun]-}}
	else
		words=''
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o bashdefault -o default -F {function} {name}
"""


def said(program, *words):
    """All that it prints."""
    done = subprocess.run(
        [program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, **NOBODY}, timeout=60,
        text=True, check=False)
    if done.returncode < 0:
        sys.exit(f"{program} {words}: signal {-done.returncode}")
    return done.stdout


def options_in(text, *less):
    """The options that a text names, once each, as they come."""
    return [o for o in dict.fromkeys(OPTION.findall(text)) if o not in less]


def commands_in(text):
    """(noun, verb or "", what it does) of each row."""
    for row in text.partition(COMMANDS_BEGIN)[2].splitlines():
        found = COMMAND.match(row)
        if found and len(row) > VERB_AT:
            verb, _, rest = row[VERB_AT:].partition(" ")
            yield found["noun"], verb, rest


def table(of):
    return "\n".join(f"\t\t[\"{key}\"]=\"{' '.join(words)}\""
                     for key, words in of.items())


def command_script(program, name, top):
    common = options_in(top.partition(COMMANDS_BEGIN)[0])
    verbs, options = {}, {name: common}
    for noun, verb, does in commands_in(top):
        words = [noun, verb] if verb else [noun]
        verbs.setdefault(noun, []).extend(words[1:])
        own = said(program, *words, "--help")
        if COMMANDS_BEGIN in own:
            sys.exit(f"{name} does not know its own command {words}: "
                     "has the shape of its help changed?")
        options[" ".join(words)] = [
            *options_in(f"{does}\n{own}", "--help", *common), *common]
    return COMMANDS.format(name=name, function=function_of(name),
                           verbs=table(verbs), options=table(options))


def function_of(name):
    return "_" + name.replace("-", "_")


def script(program, name):
    top = said(program, "--help")
    if COMMANDS_BEGIN in top:
        return command_script(program, name, top)
    return PLAIN.format(name=name, function=function_of(name),
                        options=" ".join(options_in(top)))


def main(program, name, output):
    text = script(program, name)
    if not OPTION.search(text):
        sys.exit(f"{program} --help names no option")
    with open(output, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
