// gorilla/websocket. It sends no pings, and answers pings while it reads. It has no closing handshake of its own.

package main

import (
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

type gorilla struct{ socket *websocket.Conn }

func connect(j job) (client, error) {
	dialer := websocket.Dialer{Subprotocols: j.offers}
	socket, answer, err := dialer.Dial(j.url, nil)
	if err != nil && answer != nil {
		err = fmt.Errorf("%w: %s", err, answer.Status)
	}
	return gorilla{socket}, err
}

func (c gorilla) subprotocol() string { return c.socket.Subprotocol() }

func (c gorilla) send(message []byte, isText bool) error {
	kind := websocket.BinaryMessage
	if isText {
		kind = websocket.TextMessage
	}
	return c.socket.WriteMessage(kind, message)
}

func (c gorilla) receive() ([]byte, error) {
	_, message, err := c.socket.ReadMessage()
	return message, err
}

func (c gorilla) close(code *int) error {
	if code == nil {
		return c.socket.Close()
	}
	frame := websocket.FormatCloseMessage(*code, "")
	return c.socket.WriteControl(websocket.CloseMessage, frame, time.Now().Add(time.Minute))
}
