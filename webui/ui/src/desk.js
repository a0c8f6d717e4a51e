// Everything a staff page needs besides htmx.
import "../parts/timer.js";
import "../parts/overlay.js";
import "../parts/forms.js";
import "../parts/composer.js";
import "../parts/hotkeys.js";
import "../parts/menus.js";
import "../parts/live.js";
