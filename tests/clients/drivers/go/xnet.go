// golang.org/x/net/websocket. It sends no pings, and answers pings while it reads. Its close takes no code.

package main

import (
	"errors"

	"golang.org/x/net/websocket"
)

type xnet struct{ socket *websocket.Conn }

func connect(j job) (client, error) {
	config, err := websocket.NewConfig(j.url, "http://localhost/")
	if err != nil {
		return nil, err
	}
	config.Protocol = j.offers
	socket, err := websocket.DialConfig(config)
	return xnet{socket}, err
}

func (c xnet) subprotocol() string {
	if names := c.socket.Config().Protocol; len(names) == 1 {
		return names[0]
	}
	return ""
}

func (c xnet) send(message []byte, isText bool) error {
	if isText {
		return websocket.Message.Send(c.socket, string(message))
	}
	return websocket.Message.Send(c.socket, message)
}

func (c xnet) receive() ([]byte, error) {
	var message []byte
	err := websocket.Message.Receive(c.socket, &message)
	return message, err
}

func (c xnet) close(code *int) error {
	if code != nil {
		return errors.New("its close takes no code")
	}
	return c.socket.Close()
}
