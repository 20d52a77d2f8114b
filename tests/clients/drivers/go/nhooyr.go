// nhooyr.io/websocket. It sends no pings, and answers pings while it reads. It has no default code.

package main

import (
	"context"

	"nhooyr.io/websocket"
)

type nhooyr struct{ socket *websocket.Conn }

func connect(j job) (client, error) {
	options := &websocket.DialOptions{Subprotocols: j.offers}
	socket, _, err := websocket.Dial(context.Background(), j.url, options)
	return nhooyr{socket}, err
}

func (c nhooyr) subprotocol() string { return c.socket.Subprotocol() }

func (c nhooyr) send(message []byte, isText bool) error {
	kind := websocket.MessageBinary
	if isText {
		kind = websocket.MessageText
	}
	return c.socket.Write(context.Background(), kind, message)
}

func (c nhooyr) receive() ([]byte, error) {
	_, message, err := c.socket.Read(context.Background())
	return message, err
}

func (c nhooyr) close(code *int) error {
	status := websocket.StatusNormalClosure
	if code != nil {
		status = websocket.StatusCode(*code)
	}
	return c.socket.Close(status, "")
}
