package mail

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"
)

var place = regexp.MustCompile(`\{[a-z]+\}`)

// TestEachLanguageIsWhole holds every language to the same kinds, sentences and places to fill.
func TestEachLanguageIsWhole(t *testing.T) {
	if Languages()[0] != source {
		t.Fatalf("languages %q", Languages())
	}
	for _, name := range Languages() {
		if wrong := missing(name); len(wrong) > 0 {
			t.Errorf("words/%s.json lacks, or has too much: %q", name, wrong)
		}
	}
}

// missing lists what a language's file has otherwise than the English one, and the kinds that have no words.
func missing(name string) []string {
	var wrong []string
	w, err := read(name)
	if err != nil {
		return []string{err.Error()}
	}
	for _, kind := range Kinds {
		if told := w.Kinds[kind]; told.Subject == "" || told.Heading == "" || len(told.Text) == 0 {
			wrong = append(wrong, string(kind))
		}
	}
	if len(w.Kinds) != len(Kinds) {
		wrong = append(wrong, "kinds")
	}
	if len(w.Months) != 12 || w.Direction != "ltr" && w.Direction != "rtl" {
		wrong = append(wrong, "months or direction")
	}
	here, there := shape(name), shape(source)
	for key := range there {
		if !slices.Equal(here[key], there[key]) {
			wrong = append(wrong, key)
		}
	}
	for key := range here {
		if _, known := there[key]; !known {
			wrong = append(wrong, key)
		}
	}
	return wrong
}

// shape is where a file has texts, but for the forms of numbers, and what each has to fill.
func shape(name string) map[string][]string {
	text, err := files.ReadFile("words/" + name + ".json")
	if err != nil {
		panic(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		panic(err)
	}
	found := map[string][]string{}
	var walk func(at string, node any)
	walk = func(at string, node any) {
		switch node := node.(type) {
		case string:
			found[at] = place.FindAllString(node, -1)
			if found[at] == nil {
				found[at] = []string{}
			}
			slices.Sort(found[at])
		case []any:
			for n, one := range node {
				walk(at+"/"+string(rune('0'+n%10)), one)
			}
		case map[string]any:
			if other, counted := node["other"]; counted {
				walk(at, other)
				return
			}
			for key, one := range node {
				walk(at+"/"+key, one)
			}
		}
	}
	walk("", tree)
	return found
}
