// The loop of a driver in Go: reads jobs, does each with the library's connect, and writes results.

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const text = "grüße, 世界 🌍"

type job struct {
	url    string
	offers []string
	idle   time.Duration
	// Nil for the library's default.
	code *int
}

// client is a connection of the library. A reader is needed during idleness by all of them.
type client interface {
	subprotocol() string
	send(message []byte, isText bool) error
	receive() ([]byte, error)
	close(code *int) error
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		j := job{url: fields[0]}
		if fields[1] != "" {
			j.offers = strings.Split(fields[1], ",")
		}
		seconds, _ := strconv.ParseFloat(fields[2], 64)
		j.idle = time.Duration(seconds * float64(time.Second))
		if fields[4] != "" {
			code, _ := strconv.Atoi(fields[4])
			j.code = &code
		}
		step := "connect"
		subprotocol, err := perform(j, &step)
		if err != nil {
			fmt.Printf("failed\t%s\t\t%s\n", step, strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Printf("ok\t%s\n", subprotocol)
		}
	}
}

type received struct {
	message []byte
	err     error
}

func perform(j job, step *string) (string, error) {
	c, err := connect(j)
	if err != nil {
		return "", err
	}
	messages := make(chan received, 16)
	go read(c, messages)
	*step = "echo"
	if err := echo(c, messages); err != nil {
		return "", err
	}
	if j.idle > 0 {
		*step = "idle"
		time.Sleep(j.idle)
		if err := echo(c, messages); err != nil {
			return "", err
		}
	}
	*step = "close"
	return c.subprotocol(), c.close(j.code)
}

func read(c client, messages chan received) {
	for {
		message, err := c.receive()
		messages <- received{message, err}
		if err != nil {
			return
		}
	}
}

func echo(c client, messages chan received) error {
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	for _, message := range [][]byte{[]byte(text), binary} {
		if err := c.send(message, len(message) != 256); err != nil {
			return err
		}
		select {
		case r := <-messages:
			if r.err != nil {
				return r.err
			}
			if !bytes.Equal(r.message, message) {
				return fmt.Errorf("%q came back", r.message)
			}
		case <-time.After(30 * time.Second):
			return fmt.Errorf("nothing came back")
		}
	}
	return nil
}
