"""Numbers for officials: roll-ups, indicators, bursts, topics, chronic places, alerts."""
