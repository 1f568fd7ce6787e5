// The charts of the trends page. Every chart has its table in the page, which also works without script.
import { channels } from "./trends/channels";
import { read } from "./trends/data";
import { lines } from "./trends/lines";
import { tiles } from "./trends/map";
import "./trends.css";

const data = read();
if (data !== null) {
  lines(data);
  tiles(data);
  channels(data);
}
