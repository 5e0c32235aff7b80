"""The whole picture or a masked part: tones, colours, detail, styles, words, frames."""
