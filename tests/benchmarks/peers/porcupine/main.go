// Decides a history of our generator's lines with Porcupine, for comparison.
//
//	porcupine-lin TIMEOUT_S FILE
//
// Prints a line of JSON: the verdict, and the seconds that loading and checking took.
// A pending operation returns at the end of time, and any output is right for it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/anishathalye/porcupine"
)

type line struct {
	P    int             `json:"p"`
	F    string          `json:"f"`
	K    *int            `json:"k"`
	In   json.RawMessage `json:"in"`
	Out  json.RawMessage `json:"out"`
	Call int64           `json:"call"`
	Ret  *int64          `json:"ret"`
}

type input struct {
	f        string
	key      int
	value    int // what is written, added, or put in place
	expected int // of a compare-and-set
}

type output struct {
	pending bool
	none    bool
	value   int
	truth   bool
}

const nothing = math.MinInt

func number(raw json.RawMessage) (int, bool) {
	n, err := strconv.Atoi(string(raw))
	return n, err == nil
}

func read(path string) (string, []porcupine.Operation) {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 1<<20), 1<<20)
	scanner.Scan()
	var header struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(scanner.Bytes(), &header); err != nil {
		panic(err)
	}
	var operations []porcupine.Operation
	for scanner.Scan() {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			panic(err)
		}
		in := input{f: l.F, value: nothing}
		if l.K != nil {
			in.key = *l.K
		}
		if n, ok := number(l.In); ok {
			in.value = n
		} else if l.F == "cas" {
			var pair [2]int
			if err := json.Unmarshal(l.In, &pair); err != nil {
				panic(err)
			}
			in.expected, in.value = pair[0], pair[1]
		}
		out := output{pending: l.Ret == nil, none: string(l.Out) == "null", truth: string(l.Out) == "true"}
		out.value, _ = number(l.Out)
		end := int64(math.MaxInt64)
		if l.Ret != nil {
			end = *l.Ret
		}
		operations = append(operations, porcupine.Operation{ClientId: 0, Input: in, Call: l.Call, Output: out, Return: end})
	}
	return header.Type, operations
}

func byKey(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[int][]porcupine.Operation{}
	for _, o := range history {
		k := o.Input.(input).key
		parts[k] = append(parts[k], o)
	}
	var found [][]porcupine.Operation
	for _, part := range parts {
		found = append(found, part)
	}
	return found
}

// A register, also of each key; an absent value is nothing.
var register = porcupine.Model{
	Partition: byKey,
	Init:      func() interface{} { return nothing },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		s, i, o := state.(int), in.(input), out.(output)
		switch i.f {
		case "read":
			return o.pending || (o.none && s == nothing) || (!o.none && o.value == s), s
		case "write":
			return true, i.value
		}
		took := s == i.expected
		if took {
			s = i.value
		}
		return o.pending || o.truth == took, s
	},
}

// An element of a set.
var set = porcupine.Model{
	Partition: byKey,
	Init:      func() interface{} { return false },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		there, i, o := state.(bool), in.(input), out.(output)
		switch i.f {
		case "add":
			return o.pending || o.truth == !there, true
		case "remove":
			return o.pending || o.truth == there, false
		}
		return o.pending || o.truth == there, there
	},
}

// A queue or a stack as a text of its values, which compares fast.
func collection(last bool) porcupine.Model {
	return porcupine.Model{
		Init: func() interface{} { return "" },
		Step: func(state, in, out interface{}) (bool, interface{}) {
			s, i, o := state.(string), in.(input), out.(output)
			if i.value != nothing {
				return true, s + string([]rune{rune(i.value%0xD000 + 1), rune(i.value/0xD000 + 1)})
			}
			items := []rune(s)
			if len(items) == 0 {
				return o.pending || o.none, s
			}
			at := 0
			if last {
				at = len(items) - 2
			}
			value := int(items[at]-1) + int(items[at+1]-1)*0xD000
			rest := string(items[2:])
			if last {
				rest = string(items[:at])
			}
			return o.pending || (!o.none && o.value == value), rest
		},
	}
}

func main() {
	timeout, err := strconv.ParseFloat(os.Args[1], 64)
	if err != nil {
		panic(err)
	}
	begin := time.Now()
	kind, history := read(os.Args[2])
	loaded := time.Now()
	model := register
	switch kind {
	case "set":
		model = set
	case "queue":
		model = collection(false)
	case "stack":
		model = collection(true)
	}
	result := porcupine.CheckOperationsTimeout(model, history, time.Duration(timeout*float64(time.Second)))
	fmt.Printf("{\"verdict\": %q, \"load_s\": %.6f, \"check_s\": %.6f}\n", result, loaded.Sub(begin).Seconds(), time.Since(loaded).Seconds())
}
