package mail

import (
	_ "embed" // the looks
	"fmt"
	"strings"

	. "maragu.dev/gomponents"      //nolint:staticcheck // markup reads as markup
	. "maragu.dev/gomponents/html" //nolint:staticcheck // as above
)

// Forms of a letter are made by functions and by no template: to run one, the linker keeps every method of the program.

//go:embed letter.css
var looks string

// render makes both forms of the letter. Whatever is text is escaped in HTML, and is one line in plain text.
func (l *letter) render() (plain, html string, err error) {
	var markup strings.Builder
	if err := l.markup().Render(&markup); err != nil {
		return "", "", fmt.Errorf("write a letter: %w", err)
	}
	return l.plain(), markup.String(), nil
}

func (l *letter) plain() string {
	var text strings.Builder
	paragraphs := func(list ...string) {
		for _, one := range list {
			if one != "" {
				text.WriteString(oneLine(one) + "\n\n")
			}
		}
	}
	paragraphs(l.Greeting, l.Heading)
	paragraphs(l.Paragraphs...)
	if len(l.Message) > 0 {
		paragraphs(l.MessageBy)
		for _, one := range l.Message {
			paragraphs("> " + oneLine(one))
		}
	}
	for _, one := range l.Known {
		text.WriteString(oneLine(one.Label) + ": " + oneLine(one.Value) + "\n")
	}
	if len(l.Known) > 0 {
		text.WriteString("\n")
	}
	paragraphs(l.Closing...)
	if l.Link != "" {
		text.WriteString(oneLine(l.Action) + ":\n" + l.Link + "\n\n")
	}
	paragraphs(l.Afterwards...)
	text.WriteString("-- \n") // a signature (RFC 3676, section 4.3)
	for _, one := range l.Footer {
		text.WriteString(oneLine(one) + "\n")
	}
	return text.String()
}

// table is laid out by hand, as mailers know no other way.
func table(of ...Node) Node {
	return Table(Role("presentation"), Attr("cellpadding", "0"), Attr("cellspacing", "0"), Attr("border", "0"), Group(of))
}

func paragraphs(list []string, class string) Node {
	return Map(list, func(one string) Node { return P(If(class != "", Class(class)), Text(one)) })
}

func (l *letter) markup() Node {
	return Doctype(HTML(Lang(l.Language), Dir(l.Direction),
		Head(
			Meta(Charset("utf-8")),
			Meta(Name("viewport"), Content("width=device-width, initial-scale=1")),
			Meta(Name("color-scheme"), Content("light dark")),
			Meta(Name("supported-color-schemes"), Content("light dark")),
			TitleEl(Text(l.Subject)),
			StyleEl(Raw(looks)),
		),
		Body(table(Class("page"), Width("100%"), Tr(Td(Attr("align", "center"), Style("padding: 0 12px;"),
			table(Width("100%"), Style("max-width: 560px; text-align: start;"),
				Tr(Td(Class("brand"), Text(l.Brand))),
				Tr(Td(Class("card"), l.card())),
				Tr(Td(Class("foot"), paragraphs(l.Footer, ""))),
			),
		)))),
	))
}

func (l *letter) card() Node {
	return Group{
		H1(Text(l.Heading)),
		If(l.Greeting != "", P(Text(l.Greeting))),
		paragraphs(l.Paragraphs, ""),
		If(len(l.Message) > 0, Group{
			P(Text(l.MessageBy)),
			BlockQuote(Class("message"), paragraphs(l.Message, "")),
		}),
		If(len(l.Known) > 0, table(Class("known"), Map(l.Known, func(one known) Node {
			return Tr(Td(Class("label"), Text(one.Label)), Td(Text(one.Value)))
		}))),
		paragraphs(l.Closing, ""),
		If(l.Link != "", Group{
			A(Class("action"), Href(l.Link), Text(l.Action)),
			P(Class("link"), A(Href(l.Link), Text(l.Link))),
		}),
		paragraphs(l.Afterwards, "after"),
	}
}
