"""What the edge answers. Plain Python; knows no framework, no protobuf."""
