package cli

import (
	"fmt"
	"io"
	"strings"
)

const (
	helpWidth = 80
	helpLabel = 30 // a longer name stands on a line of its own
)

// explain prints how a command is used; of the program it lists all commands.
func (c *command) explain(out io.Writer, everywhere []*option) {
	usage := []string{"Usage: secondstep"}
	if c.path != "" {
		usage = append(usage, c.path)
	}
	if c.run == nil {
		usage = append(usage, "<command>")
	}
	for _, one := range c.options {
		if one.required {
			usage = append(usage, one.label())
		}
	}
	var arguments, flags, commands [][2]string
	for _, one := range c.args {
		usage = append(usage, "<"+one.name+">")
		arguments = append(arguments, [2]string{"<" + one.name + ">", one.help})
	}
	fmt.Fprintf(out, "%s [flags]\n\n%s\n", strings.Join(usage, " "), strings.Join(wrap(c.help, helpWidth), "\n"))

	general := [][2]string{{"-h, --help", "Show this help."}}
	for _, one := range everywhere {
		general = append(general, [2]string{"    " + one.label(), one.told()})
	}
	for _, one := range c.options {
		if c.path != "" && !one.hidden {
			flags = append(flags, [2]string{"    " + one.label(), one.told()})
		}
	}
	c.each(func(one *command) {
		if one.run != nil && one != c {
			commands = append(commands, [2]string{one.path, one.help})
		}
	})
	if len(arguments) > 0 {
		fmt.Fprintf(out, "\nArguments:\n%s", columns(arguments))
	}
	fmt.Fprintf(out, "\nFlags:\n")
	if len(flags) > 0 {
		// The blank line sets apart what every command has.
		general = append(general, [2]string{})
	}
	fmt.Fprint(out, columns(append(general, flags...)))
	if len(commands) > 0 {
		fmt.Fprintf(out, "\nCommands:\n%s", columns(commands))
	}
	if c.path == "" {
		fmt.Fprintln(out, "\nRun \"secondstep <command> --help\" for more information on a command.")
	}
}

// label is the flag and what it takes.
func (o *option) label() string {
	switch o.into.Interface().(type) {
	case bool:
		return "--" + o.name
	case []string:
		return "--" + o.name + "=" + o.placeholder + ",..."
	}
	switch {
	case o.placeholder != "":
		return "--" + o.name + "=" + o.placeholder
	case o.preset:
		return "--" + o.name + "=" + o.standard
	}
	return "--" + o.name + "=" + o.Type()
}

// told is the help with the name that the environment has for it.
func (o *option) told() string {
	if o.env == "" {
		return o.help
	}
	return strings.TrimSuffix(o.help, ".") + " ($" + o.env + ")."
}

// columns sets names and what they mean beside each other.
func columns(rows [][2]string) string {
	left := 0
	for _, row := range rows {
		if len(row[0]) <= helpLabel {
			left = max(left, len(row[0]))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		lines := wrap(row[1], helpWidth-left-6)
		if len(row[0]) > left {
			fmt.Fprintf(&b, "  %s\n", row[0])
			row[0] = ""
		}
		for _, line := range lines {
			b.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s    %s", left, row[0], line), " ") + "\n")
			row[0] = ""
		}
	}
	return b.String()
}

// wrap breaks a text into lines; there is always one.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) > width:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}
